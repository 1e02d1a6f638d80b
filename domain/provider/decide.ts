import { hexToBytes } from '@noble/hashes/utils.js';
import { accept, type Decision, type DecisionContext } from '../decision.ts';
import { type Rejection, reject } from '../errors.ts';
import type { Micro } from '../money.ts';
import { holdsVrfKey } from '../topology/node-key.ts';
import {
  endBond,
  type PostBond,
  postBond,
  type TakeChance,
  takeChance,
  withdrawBond,
} from './decide-bond.ts';
import { lockStake, slashStake, unbondStake, type Wronged, withdrawStake } from './decide-stake.ts';
import type {
  EvidenceReason,
  ProviderAttested,
  ProviderEvent,
  ProviderRegistered,
  ProviderSeen,
  VrfKeyRegistered,
} from './events.ts';
import type { Provider, ProviderState } from './fold.ts';
import {
  EVIDENCE_WEIGHTS,
  type EvidenceWeight,
  fullOpinion,
  isLow,
  isUncertain,
  withEvidence,
} from './opinion.ts';
import { type PaidWork, paidWeight, priceWeight } from './paid-work.ts';

export const PROVIDER_VERSION = 1;

/** What evidence rests on: delivered work by its price, or a fault, which tells where the work was won and whom it wronged. */
export type EvidenceFacts =
  | { readonly reason: 'completed'; readonly work: PaidWork }
  | {
      readonly reason: Exclude<EvidenceReason, 'completed'>;
      /** The work that was not delivered, where its price is known. */
      readonly work?: PaidWork;
      readonly auctionId?: string;
      readonly wronged?: Wronged;
    };

export type RecordEvidence = {
  readonly type: 'record-evidence';
  readonly evidenceId: string;
} & EvidenceFacts;

export type ProviderCommand =
  | ({ readonly type: 'register' } & Omit<ProviderRegistered, 'type' | 'machineVersion' | 'registeredAt'>)
  | ({
      readonly type: 'attest';
      /** Nonce of the attestation that this one renews, null of the first: a report that came meanwhile makes it needless. */
      readonly renews?: string | null;
    } & Omit<ProviderAttested, 'type' | 'attestedAt'>)
  | {
      readonly type: 'lock-stake';
      readonly amount: Micro;
      /** Only while nothing is staked. */
      readonly first?: true;
    }
  | { readonly type: 'unbond-stake'; readonly amount: Micro }
  | { readonly type: 'withdraw-stake' }
  | ({ readonly type: 'post-bond' } & PostBond)
  | ({ readonly type: 'take-chance' } & TakeChance)
  | {
      readonly type: 'withdraw-bond';
      /** The auction whose outcome is known to be over for the provider; null where none is. */
      readonly over: string | null;
    }
  | ({ readonly type: 'register-vrf-key' } & Omit<VrfKeyRegistered, 'type' | 'at'>)
  | {
      readonly type: 'see';
      readonly presence: ProviderSeen['type'];
      readonly missedHeartbeats: number;
    }
  | RecordEvidence;

/** Rules over commands of a provider. */
export const decideProvider = (
  provider: ProviderState,
  command: ProviderCommand,
  { now }: DecisionContext,
): Decision<ProviderEvent> => {
  if (command.type === 'register') {
    if (provider) {
      return reject('CONFLICT', 'a provider with this key is registered already', [
        { field: 'pubkey', rule: 'not registered before' },
      ]);
    }
    const { type: _, ...facts } = command;
    return accept({
      type: 'provider.registered',
      machineVersion: PROVIDER_VERSION,
      ...facts,
      registeredAt: now,
    });
  }
  if (!provider) return reject('RESOURCE_NOT_FOUND', 'no such provider');
  switch (command.type) {
    case 'attest': {
      const { type: _, renews, ...facts } = command;
      const standing = provider.attestation?.nonce ?? null;
      if (renews !== undefined && renews !== standing) return accept();
      return accept({ type: 'provider.attested', ...facts, attestedAt: now });
    }
    case 'lock-stake':
      return lockStake(provider, command, now);
    case 'unbond-stake':
      return unbondStake(provider, command.amount, now);
    case 'withdraw-stake':
      return withdrawStake(provider, now);
    case 'post-bond':
      return postBond(provider, command, now);
    case 'take-chance':
      return takeChance(provider, command, now);
    case 'withdraw-bond':
      return withdrawBond(provider, command.over, now);
    case 'register-vrf-key':
      return registerVrfKey(provider, command, now);
    case 'see':
      return see(provider, command.presence, command.missedHeartbeats, now);
    case 'record-evidence':
      return recordEvidence(provider, command, now);
  }
};

/** Why `vrfKey` is not shown to be held by the node `publicKey` (all hex), or null. */
export const vrfKeyFault = (publicKey: string, vrfKey: string, proof: string): Rejection | null =>
  holdsVrfKey(publicKey, hexToBytes(vrfKey), hexToBytes(proof))
    ? null
    : reject('AUTHENTICATION_FAILED', 'the node does not show that it holds this VRF key', [
        { field: 'vrf.proof', rule: 'an ECVRF proof under vrf.publicKey over the node key' },
      ]);

/** A key that the node shows to hold; the same key in the same network changes nothing. */
const registerVrfKey = (
  provider: Provider,
  { vrfKey, proof, addressPrefix }: Omit<VrfKeyRegistered, 'type' | 'at'>,
  at: string,
): Decision<ProviderEvent> => {
  if (provider.vrf?.key === vrfKey && provider.vrf.addressPrefix === addressPrefix) return accept();
  const fault = vrfKeyFault(provider.publicKey, vrfKey, proof);
  if (fault) return fault;
  return accept({ type: 'provider.vrf-key-registered', vrfKey, proof, addressPrefix, at });
};

/** Only transitions are events. */
const see = (
  provider: Provider,
  type: ProviderSeen['type'],
  missedHeartbeats: number,
  at: string,
): Decision<ProviderEvent> =>
  type === `provider.${provider.presence}` ? accept() : accept({ type, at, missedHeartbeats });

/**
 * Work counts by its price, delivered or lost by accident, so that small jobs show the share of losses that there was.
 * Every other fault counts in full, whatever the job was worth, and no fault counts less because its payer came before.
 */
const weightOf = (facts: EvidenceFacts, payers: Provider['payers']): EvidenceWeight => {
  const { positive, negative } = EVIDENCE_WEIGHTS[facts.reason];
  if (facts.reason === 'completed') return { positive: paidWeight(facts.work, payers), negative };
  const isAccident = facts.reason === 'lost' || facts.reason === 'declared';
  return { positive, negative: negative * (isAccident && facts.work ? priceWeight(facts.work) : 1) };
};

/** One item counts once. A fraud takes the stake with it, and a bond ends of what shows; flags change as their own events (R90). */
const recordEvidence = (provider: Provider, command: RecordEvidence, at: string): Decision<ProviderEvent> => {
  const { evidenceId, reason } = command;
  if (provider.evidenceIds.includes(evidenceId)) return accept();
  const work = command.work ? { work: command.work } : {};
  const weight = weightOf(command, provider.payers);
  const after = withEvidence(provider.evidence, { ...weight, at });
  const opinion = fullOpinion(after);
  const { mean, uncertainty } = opinion;
  const events: ProviderEvent[] = [
    { type: 'provider.evidence-recorded', evidenceId, reason, ...work, ...weight, at },
  ];
  if (reason === 'deviation') events.push(...slashStake(provider, evidenceId, command.wronged ?? null, at));
  events.push(...endBond(provider, command, after, at));
  const uncertain = isUncertain(opinion);
  const low = isLow(opinion);
  if (uncertain !== provider.uncertain) {
    events.push({
      type: uncertain ? 'provider.trust-uncertain' : 'provider.trust-certain',
      mean,
      uncertainty,
    });
  }
  if (low !== provider.low) {
    events.push({ type: low ? 'provider.trust-low' : 'provider.trust-recovered', mean, uncertainty });
  }
  return accept(...events);
};
