import type { Rent } from '../enclave/rent.ts';
import type { ErrorCode } from '../errors.ts';
import type { Micro } from '../money.ts';
import type { RiskEvidence } from '../provider/risk.ts';
import type { InfrastructureType, TierName } from '../tiers.ts';

/** What a quorum has to know of a member: who owns it and which failure domains it sits in. */
export interface Placement {
  readonly providerId: string;
  readonly owner: string;
  readonly infrastructureType: InfrastructureType;
  readonly asn: number;
  readonly region: string;
  /** Probability that the member is down while its type is up. */
  readonly unavailability: number;
}

/** A bid after the close. */
export interface OpenedBid extends Placement {
  readonly bidId: string;
  readonly price: Micro;
  /** Without a full trust record. Where no surcharge prices its risk, its awards are limited to the probation share. */
  readonly newcomer: boolean;
  /**
   * What its risk adds to the price when sets of bids are compared, and nobody is paid; absent before machine version 3,
   * whose awards are by price alone.
   */
  readonly surcharge?: Micro;
}

/** A member bought: its bid and the critical value it is paid. */
export interface Winner extends OpenedBid {
  readonly payment: Micro;
}

export type BidState = 'active' | 'won' | 'lost' | 'expired' | 'rejected';

export interface BidVerdict {
  readonly bidId: string;
  readonly state: Exclude<BidState, 'active'>;
  readonly reason: string;
}

/** First event of the stream: rule, ceiling and seed are fixed before any bid. */
export interface AuctionOpened {
  readonly type: 'auction.opened';
  readonly machineVersion: number;
  readonly auctionId: string;
  readonly submitter: string;
  /** The job that funds and consumes this auction; null for one opened on its own. */
  readonly jobId: string | null;
  readonly quoteId: string;
  readonly tier: TierName;
  readonly tierTableVersion: number;
  readonly requiredTops: number;
  /** Share of them that the work keeps busy, 0..1. */
  readonly utilization: number;
  readonly durationSeconds: number;
  /** TOPS of one H200, as quoted (D1); the default where it is not told. */
  readonly tRef?: number;
  /** Memory of each enclave that was priced, MiB; none from before it was. */
  readonly memoryMb?: number;
  readonly winners: number;
  readonly requiredUp: number;
  readonly minimumOwners: number;
  /** Ceiling per winner, and the deposit of every bid. */
  readonly ceiling: Micro;
  /** What opening it cost; absent where its job paid, and before machine version 2. */
  readonly openingFee?: Micro;
  /** What each winner's capacity costs for as long as the award waits to be taken; since version 4, without a job. */
  readonly reservation?: Rent;
  /**
   * How sets of bids are compared: by price alone until machine version 2, by price and risk (`surchargesOf`) since. Winners
   * are paid their critical values either way.
   */
  readonly rule: 'critical-value' | 'risk-priced';
  /** Hex; breaks ties as hash(seed ‖ bid id). */
  readonly seed: string;
  readonly auctionSeconds: number;
  readonly openedAt: string;
  readonly closesAt: string;
}

/** The price is inside `sealed`; nothing here tells it. */
export interface BidPlaced {
  readonly type: 'auction.bid-placed';
  readonly bidId: string;
  readonly providerId: string;
  readonly owner: string;
  readonly sealed: string;
  readonly deposit: Micro;
  readonly placedAt: string;
}

export interface AuctionExtended {
  readonly type: 'auction.extended';
  readonly extendedAt: string;
  readonly closesAt: string;
  readonly owners: number;
}

export interface AuctionClosed {
  readonly type: 'auction.closed';
  readonly closedAt: string;
}

/** The evidence on a bid's provider as the price of its risk counts it (`riskEvidence`). */
export interface BidRisk extends RiskEvidence {
  readonly bidId: string;
}

export interface BidsOpened {
  readonly type: 'auction.bids-opened';
  readonly bids: readonly OpenedBid[];
  /** Under rule `risk-priced`: what the surcharges follow from, by the seed, for every bid. */
  readonly risks?: readonly BidRisk[];
  /** Bids that may not win, and why (unreadable box, above the ceiling, probation share). */
  readonly refused: readonly BidVerdict[];
}

export interface AuctionAwarded {
  readonly type: 'auction.awarded';
  readonly winners: readonly Winner[];
  readonly verdicts: readonly BidVerdict[];
  readonly total: Micro;
  readonly predictedAvailability: number;
  /** `best-found`: the solver's effort ended before it had proven that no set of bids is cheaper. */
  readonly method: 'exact' | 'best-found';
  /** With `best-found`: no set of bids costs less than this, surcharges included. */
  readonly atLeast?: Micro;
  /** Until when a job must take the award, for an auction without a job; else null. */
  readonly allocateBy: string | null;
}

export interface AuctionFailed {
  readonly type: 'auction.failed';
  readonly reason: ErrorCode;
  readonly message: string;
  readonly verdicts: readonly BidVerdict[];
}

export interface AuctionAllocated {
  readonly type: 'auction.allocated';
  readonly jobId: string;
  /** Since version 4. */
  readonly allocatedAt?: string;
}

/** Nobody took the award in time: everything is refunded but what the winners' capacity was worth meanwhile. */
export interface AuctionLapsed {
  readonly type: 'auction.lapsed';
  readonly lapsedAt: string;
}

export type AuctionEvent =
  | AuctionOpened
  | BidPlaced
  | AuctionExtended
  | AuctionClosed
  | BidsOpened
  | AuctionAwarded
  | AuctionFailed
  | AuctionAllocated
  | AuctionLapsed;
