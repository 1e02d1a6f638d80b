import { ok, type Result, reject } from '../../domain/errors.ts';
import { availabilityProofFrom } from '../../domain/observation/evidence.ts';
import type { AvailabilityProof } from '../../domain/proof/availability-record.ts';
import { hashOfJson } from '../../domain/proof/commit.ts';
import { epochMs } from '../../domain/time.ts';
import type { Observations, ObservedRound } from './observations.ts';

export interface ObservationEvidence {
  /**
   * The proof of a provider's availability that its observers' signatures make: of the window that begins at `from`, or
   * of the newest one that is over and whole.
   */
  proofOf(providerId: string, from?: string): Promise<Result<AvailabilityProof>>;
  /** The newest rounds in which a provider was observed, newest first, those of running windows among them. */
  newest(providerId: string, limit: number): Promise<readonly ObservedRound[]>;
}

export const createObservationEvidence = ({
  observations,
  now,
}: {
  readonly observations: Pick<Observations, 'newestOf' | 'ofProvider'>;
  readonly now: () => string;
}): ObservationEvidence => ({
  newest: observations.newestOf,

  async proofOf(providerId, from) {
    const rounds = await observations.ofProvider(providerId, now());
    const wanted = rounds.filter(({ terms }) => from === undefined || epochMs(terms.from) === epochMs(from));
    const windows = Map.groupBy(wanted, ({ terms }: ObservedRound) => hashOfJson(terms));
    for (const [first, ...others] of windows.values()) {
      const proof = first && availabilityProofFrom(first.terms, [first, ...others]);
      if (proof) return ok(proof);
    }
    return windows.size === 0
      ? reject('RESOURCE_NOT_FOUND', `no window in which ${providerId} was observed is over`, [
          { field: from === undefined ? 'provider_id' : 'from', rule: 'observed, in a window that is over' },
        ])
      : reject(
          'CONFLICT',
          'the window is not whole: a round had no head of the log, or an observer is silent',
        );
  },
});
