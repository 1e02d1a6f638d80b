import { type Micro, toMicro } from './money.ts';

/**
 * The one table of tiers, rates and thresholds (R56-R76, D1-D5, settled 13-15). Its version is part of every quote.
 * Change a value only together with the version.
 */
export const TIER_TABLE_VERSION = 1;

/** Reference throughput of one H200, in TOPS (D1). */
export const DEFAULT_T_REF = 900;

export const TIER_NAMES = ['bronze', 'silver', 'gold', 'platinum'] as const;
export type TierName = (typeof TIER_NAMES)[number];

export const INFRASTRUCTURE_TYPES = [
  'cloud_aws',
  'cloud_azure',
  'cloud_gcp',
  'edge_devices',
  'private_datacenters',
  'hybrid_environments',
] as const;
export type InfrastructureType = (typeof INFRASTRUCTURE_TYPES)[number];

export interface Tier {
  readonly name: TierName;
  /** Price of one H200-hour (R59-R62). */
  readonly rateMicro: Micro;
  /** Minimum privacy score (D5). */
  readonly privacy: number;
  /** Target availability (R72-R76). */
  readonly availability: number;
  /** Members bought: k of the auction (D3). */
  readonly winners: number;
  /** Members that must be up at once (settled 13). */
  readonly requiredUp: number;
  /** Distinct owners that must bid: max(3, winners + 1) (D3). */
  readonly minimumOwners: number;
  /** Hard diversity rules (settled 14). Distinct owners always hold. */
  readonly diversity: {
    /** Most members of one infrastructure type: winners − requiredUp; null where the rule does not apply. */
    readonly maxPerType: number | null;
    readonly distinctAsn: boolean;
    readonly distinctRegion: boolean;
    /** At least `types` types where `whenOffered` or more are offered. */
    readonly minimumTypes: { readonly types: number; readonly whenOffered: number } | null;
  };
}

const tier = (
  name: TierName,
  rate: string,
  privacy: number,
  availability: number,
  winners: number,
  requiredUp: number,
  diversity: Tier['diversity'],
): Tier => ({
  name,
  rateMicro: toMicro(rate),
  privacy,
  availability,
  winners,
  requiredUp,
  minimumOwners: Math.max(3, winners + 1),
  diversity,
});

export const TIERS: Readonly<Record<TierName, Tier>> = {
  bronze: tier('bronze', '500000', 0.2, 0.95, 1, 1, {
    maxPerType: null,
    distinctAsn: false,
    distinctRegion: false,
    minimumTypes: null,
  }),
  silver: tier('silver', '750000', 0.5, 0.995, 2, 1, {
    maxPerType: 1,
    distinctAsn: true,
    distinctRegion: false,
    minimumTypes: null,
  }),
  gold: tier('gold', '1000000', 0.8, 0.999, 3, 2, {
    maxPerType: 1,
    distinctAsn: true,
    distinctRegion: true,
    minimumTypes: null,
  }),
  platinum: tier('platinum', '1500000', 0.95, 0.9999, 5, 3, {
    maxPerType: 2,
    distinctAsn: true,
    distinctRegion: true,
    minimumTypes: { types: 4, whenOffered: 5 },
  }),
};

export const isTierName = (value: string): value is TierName =>
  (TIER_NAMES as readonly string[]).includes(value);

/** Prior outage share of a whole infrastructure type (settled 15). */
export const TYPE_UNAVAILABILITY: Readonly<Record<InfrastructureType, number>> = {
  cloud_aws: 0.0005,
  cloud_azure: 0.0005,
  cloud_gcp: 0.0005,
  private_datacenters: 0.002,
  hybrid_environments: 0.005,
  edge_devices: 0.02,
};

/** Prior outage share of one member, given that its type is up (settled 15). */
export const MEMBER_UNAVAILABILITY: Readonly<Record<InfrastructureType, number>> = {
  cloud_aws: 0.005,
  cloud_azure: 0.005,
  cloud_gcp: 0.005,
  private_datacenters: 0.01,
  hybrid_environments: 0.01,
  edge_devices: 0.08,
};

export const QUOTE_TTL_SECONDS = 15 * 60;
/**
 * Fuel that one TOPS for one second allows (settled 44). A scale, not a claim about chips: the smallest rate that a job
 * of 500 TOPS at 0.8 asks of its nodes is 400 million units a second, which one core of a current processor does for
 * work that stays in its caches.
 */
export const FUEL_PER_TOPS_SECOND = 1_000_000;
/** The guide's auction length (R65); the CLI asks for less. */
export const DEFAULT_AUCTION_SECONDS = 300;
/**
 * Most active bids in one auction, and so most owners. The guide has 100; then somebody with a hundred deposits could
 * keep everybody else out. The solver answers a thousand (`award.hard.spec.ts`), and events and carried state of so
 * many stay below half of Temporal's limit for one payload (2 MB).
 */
export const MAX_BIDS = 1000;
/** Node heartbeat; three missed make a member lost (settled 18). */
export const HEARTBEAT_SECONDS = 5;
export const MISSED_HEARTBEATS = 3;
/** Share of the hourly value of its capacity that a provider stakes before it bids, and the least of it (settled 42). */
export const STAKE_PERCENT = 10n;
export const MINIMUM_STAKE: Micro = toMicro('100000');
/** How long stake stays within reach of a fraud that comes to light later. */
export const UNBONDING_SECONDS = 24 * 3600;
/**
 * Share of awards open to newcomers while a set without them is feasible (D4, settled 16), where the auction's rule does not
 * price risk: where it does, newcomers compete in every one (`domain/auction/surcharge.ts`).
 */
export const PROBATION_SHARE = 0.05;
