import { isQuorumOf, type Observer } from '../../domain/proof/observer.ts';
import type { Verdict } from './steps.ts';

/** Demands on those who look, of proofs that rest on observers. */
export interface ObserverPolicy {
  /** Fewest observers; 2 when absent, for one observer's link is not a provider's downtime. */
  readonly minimumObservers?: number;
}

/** Of one proof. */
export const MOST_OBSERVERS = 7;

/** Whether the observers of some terms can speak about the provider. */
export const observersVerdict = (
  terms: {
    readonly providerId: string;
    readonly providerKey: string;
    readonly observers: readonly Observer[];
    readonly quorum: number;
  },
  { minimumObservers = 2 }: ObserverPolicy,
): Verdict => {
  const { observers, quorum, providerId, providerKey } = terms;
  if (observers.some(({ id, key }) => id === providerId || key === providerKey)) return 'SELF_OBSERVED';
  const distinct = (name: keyof Observer): number => new Set(observers.map((each) => each[name])).size;
  if (distinct('key') !== observers.length || distinct('id') !== observers.length)
    return 'OBSERVERS_NOT_DISTINCT';
  if (observers.length < minimumObservers) return 'TOO_FEW_OBSERVERS';
  return isQuorumOf(quorum, observers) ? null : 'NO_QUORUM';
};
