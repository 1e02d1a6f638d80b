import type { DeadlineCommand } from '../decision.ts';
import type { Micro } from '../money.ts';
import type { TierName } from '../tiers.ts';

/** Opens the auction. Everything comes from a verified quote; `seed` is fixed by it, before any bid. */
export interface OpenAuction {
  readonly type: 'open';
  readonly auctionId: string;
  readonly submitter: string;
  /** The job that funds it; null when the submitter opens it on its own and the auction holds the escrow. */
  readonly jobId: string | null;
  readonly quoteId: string;
  readonly tier: TierName;
  readonly tierTableVersion: number;
  readonly requiredTops: number;
  /** As quoted; nodes price it. */
  readonly utilization: number;
  readonly durationSeconds: number;
  /** TOPS of one H200, as quoted (D1); the default where it is not told. */
  readonly tRef?: number;
  /** Memory of each enclave that was priced, MiB; none from before it was. */
  readonly memoryMb?: number;
  readonly ceiling: Micro;
  readonly auctionSeconds: number;
  /** Hex, 32 bytes. */
  readonly seed: string;
}

/** A bid whose price the API has checked against the ceiling and sealed (settled 12). */
export interface PlaceBid {
  readonly type: 'place-bid';
  readonly bidId: string;
  readonly providerId: string;
  readonly owner: string;
  readonly sealed: string;
}

/** A job takes the award of an auction that was opened on its own. */
export interface AllocateAuction {
  readonly type: 'allocate';
  readonly jobId: string;
}

/** The job that an auction was for has failed: nothing is bought any more. */
export interface CancelAuction {
  readonly type: 'cancel';
  readonly reason: string;
}

export type AuctionCommand = OpenAuction | PlaceBid | AllocateAuction | CancelAuction | DeadlineCommand;
