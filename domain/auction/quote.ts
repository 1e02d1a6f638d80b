import type { Micro } from '../money.ts';
import type { TierName } from '../tiers.ts';

/** What a caller asks a price for. */
export interface QuoteInputs {
  readonly tier: TierName;
  /** TOPS, > 0. */
  readonly requiredTops: number;
  /** 0..1. */
  readonly utilization: number;
  /** Seconds, > 0. */
  readonly durationSeconds: number;
  /** Memory of each enclave, MiB; none in quotes from before it was priced. */
  readonly memoryMb?: number;
}

/** A signed, expiring offer. The token is the quote id; nothing is stored (settled 8). */
export interface Quote {
  /** ULID: auction and job ids derive from it (`auction-<ulid>`, `job-<ulid>`). */
  readonly ulid: string;
  /** Exact decimal, half up to 6 places, for display ("0.888889"). */
  readonly h200Hours: string;
  readonly tRef: number;
  readonly tier: TierName;
  readonly tierTableVersion: number;
  readonly rateMicro: Micro;
  /** Ceiling per winner: computed from the exact rational, half up to 1 micro-unit (settled 10). */
  readonly ceiling: Micro;
  readonly winners: number;
  /** winners × ceiling: what the escrow must cover. */
  readonly maximumTotal: Micro;
  readonly privacy: number;
  readonly inputs: QuoteInputs;
  readonly issuedTo: string;
  readonly expiresAt: string;
}
