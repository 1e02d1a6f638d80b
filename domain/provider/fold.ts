import type { Fold } from '../fold.ts';
import { add, type Micro, subtract, ZERO } from '../money.ts';
import type { InfrastructureType } from '../tiers.ts';
import { type Bond, type Bonded, NO_BOND } from './bond.ts';
import type { EvidenceReason, EvidenceRecorded, ProviderAttested, ProviderEvent } from './events.ts';
import { type Evidence, NO_EVIDENCE, withEvidence } from './opinion.ts';
import { type KnownPayer, withPayer } from './paid-work.ts';
import { stillUnbonding, type Unbonding } from './stake.ts';
import type { Reliability } from './unavailability.ts';

/** Evidence ids remembered, so that one item counts once; repetitions come soon after the first or never. */
const EVIDENCE_REMEMBERED = 1000;

export interface Provider extends Bonded {
  readonly providerId: string;
  readonly owner: string;
  readonly infrastructureType: InfrastructureType;
  readonly asn: number;
  readonly region: string;
  readonly tops: number;
  readonly publicKey: string;
  readonly registeredAt: string;
  readonly attestation: Omit<ProviderAttested, 'type'> | null;
  /** All that is locked, what unbonds included. */
  readonly stake: Micro;
  readonly unbonding: readonly Unbonding[];
  /** When stake was locked last; null before. */
  readonly stakedAt: string | null;
  /** Its VRF key, hex, since when it is this one, and where the node was seen last. */
  readonly vrf: {
    readonly key: string;
    readonly registeredAt: string;
    readonly addressPrefix: string;
  } | null;
  readonly presence: 'unknown' | 'up' | 'suspected' | 'lost';
  readonly presenceAt: string | null;
  readonly evidence: Evidence;
  readonly evidenceIds: readonly string[];
  /** Whose jobs its evidence comes from. */
  readonly payers: readonly KnownPayer[];
  readonly reliability: Reliability;
  readonly uncertain: boolean;
  readonly low: boolean;
}

/** Null until it is registered. */
export type ProviderState = Provider | null;

export const unknownProvider: ProviderState = null;

/** Every kind of non-delivery is a loss in availability. A wrong result is not: the member was there. */
const NOT_DELIVERED: ReadonlySet<EvidenceReason> = new Set([
  'declared',
  'lost',
  'no-show',
  'refusal',
  'attestation',
]);

const runWeight = ({ reason, positive, negative }: EvidenceRecorded): number =>
  reason === 'completed' ? positive : Math.min(1, negative);

const counted = (provider: Provider, event: EvidenceRecorded): Provider => ({
  ...provider,
  evidence: withEvidence(provider.evidence, event),
  evidenceIds: [...provider.evidenceIds, event.evidenceId].slice(-EVIDENCE_REMEMBERED),
  payers:
    event.work && event.reason === 'completed' ? withPayer(provider.payers, event.work) : provider.payers,
  reliability: {
    // A run counts here as in trust, whether it was delivered or lost.
    runs: provider.reliability.runs + runWeight(event),
    losses: provider.reliability.losses + (NOT_DELIVERED.has(event.reason) ? runWeight(event) : 0),
  },
});

const registered = (provider: ProviderState, type: string): Provider => {
  if (!provider) throw new Error(`a provider that is not registered refuses ${type}`);
  return provider;
};

const posted = ({ bond }: Provider, type: string): Bond => {
  if (!bond) throw new Error(`a provider without a bond refuses ${type}`);
  return bond;
};

/** The provider after `event`. @throws Error when the first event is not its registration. */
export const evolveProvider = (state: ProviderState, event: ProviderEvent): Provider => {
  if (event.type === 'provider.registered') {
    const { type: _, machineVersion: __, ...facts } = event;
    return {
      ...facts,
      attestation: null,
      stake: ZERO,
      unbonding: [],
      stakedAt: null,
      ...NO_BOND,
      vrf: null,
      presence: 'unknown',
      presenceAt: null,
      evidence: NO_EVIDENCE,
      evidenceIds: [],
      payers: [],
      reliability: { runs: 0, losses: 0 },
      uncertain: true,
      low: false,
    };
  }
  const provider = registered(state, event.type);
  switch (event.type) {
    case 'provider.attested': {
      const { type: _, ...attestation } = event;
      return { ...provider, attestation };
    }
    case 'provider.stake-locked':
      return { ...provider, stake: add(provider.stake, event.amount), stakedAt: event.at };
    case 'provider.stake-unbonding': {
      const { amount, releasesAt } = event;
      return { ...provider, unbonding: [...provider.unbonding, { amount, releasesAt }] };
    }
    case 'provider.stake-withdrawn':
      return {
        ...provider,
        stake: subtract(provider.stake, event.amount),
        unbonding: stillUnbonding(provider, event.at),
      };
    case 'provider.stake-slashed':
      return { ...provider, stake: subtract(provider.stake, event.amount), unbonding: [] };
    case 'provider.bond-posted':
      return { ...provider, bond: { amount: event.amount, postedAt: event.at, chance: null } };
    case 'provider.chance-taken':
      return { ...provider, bond: { ...posted(provider, event.type), chance: event.auctionId } };
    case 'provider.bond-returned':
      posted(provider, event.type);
      return {
        ...provider,
        bond: null,
        bondEndedAt: event.because === 'delivered' ? event.at : provider.bondEndedAt,
      };
    case 'provider.bond-forfeited':
      posted(provider, event.type);
      return {
        ...provider,
        bond: null,
        bondsForfeited: provider.bondsForfeited + 1,
        bondEndedAt: event.at,
      };
    case 'provider.vrf-key-registered': {
      const { vrfKey: key, addressPrefix, at } = event;
      // Another address is no other key: the time that the key has waited stays.
      const registeredAt = provider.vrf?.key === key ? provider.vrf.registeredAt : at;
      return { ...provider, vrf: { key, registeredAt, addressPrefix } };
    }
    case 'provider.up':
      return { ...provider, presence: 'up', presenceAt: event.at };
    case 'provider.suspected':
      return { ...provider, presence: 'suspected', presenceAt: event.at };
    case 'provider.lost':
      return { ...provider, presence: 'lost', presenceAt: event.at };
    case 'provider.evidence-recorded':
      return counted(provider, event);
    case 'provider.trust-uncertain':
      return { ...provider, uncertain: true };
    case 'provider.trust-certain':
      return { ...provider, uncertain: false };
    case 'provider.trust-low':
      return { ...provider, low: true };
    case 'provider.trust-recovered':
      return { ...provider, low: false };
  }
};

/** Long streams: an item of evidence for every job. `fold.spec.ts` tells when the version has to be raised. */
export const providerFold: Fold<ProviderState, ProviderEvent> = {
  initialState: unknownProvider,
  evolve: evolveProvider,
  snapshotVersion: 1,
};
