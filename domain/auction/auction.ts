import type { Rent } from '../enclave/rent.ts';
import type { ErrorCode } from '../errors.ts';
import { type Micro, ZERO } from '../money.ts';
import type { TierName } from '../tiers.ts';
import type {
  AuctionAwarded,
  AuctionFailed,
  AuctionOpened,
  BidPlaced,
  BidVerdict,
  OpenedBid,
  Winner,
} from './events.ts';

/** A bid before the close: owner and deposit, the price under seal. */
export type SealedBid = Omit<BidPlaced, 'type'>;

/** State of an auction, folded from its events. */
export interface Auction {
  readonly auctionId: string;
  readonly submitter: string;
  readonly jobId: string | null;
  readonly tier: TierName;
  readonly requiredTops: number;
  readonly utilization: number;
  readonly durationSeconds: number;
  /** TOPS of one H200, as quoted (D1); the default where it is not told. */
  readonly tRef?: number;
  /** Memory of each enclave that was priced, MiB; none from before it was. */
  readonly memoryMb?: number;
  /** Absent where bids are compared by price alone. */
  readonly rule?: 'risk-priced';
  readonly winners: number;
  readonly minimumOwners: number;
  readonly ceiling: Micro;
  readonly seed: string;
  readonly auctionSeconds: number;
  /** Per winner, for as long as its award waits to be taken; none where a job has taken it. */
  readonly reservation?: Rent;
  /** Start of the running term: opening or extension. */
  readonly since: string;
  readonly closesAt: string;
  readonly extended: boolean;
  readonly bids: readonly SealedBid[];
  readonly opened: readonly OpenedBid[];
  readonly refused: readonly BidVerdict[];
  readonly awarded: readonly Winner[];
  readonly verdicts: readonly BidVerdict[];
  readonly closedAt: string | null;
  readonly allocateBy: string | null;
  readonly failure: { readonly reason: ErrorCode; readonly message: string } | null;
}

export const blank: Auction = {
  auctionId: '',
  submitter: '',
  jobId: null,
  tier: 'bronze',
  requiredTops: 0,
  utilization: 0,
  durationSeconds: 0,
  winners: 0,
  minimumOwners: 0,
  ceiling: ZERO,
  seed: '',
  auctionSeconds: 0,
  since: '',
  closesAt: '',
  extended: false,
  bids: [],
  opened: [],
  refused: [],
  awarded: [],
  verdicts: [],
  closedAt: null,
  allocateBy: null,
  failure: null,
};

export const opened = (event: AuctionOpened): Auction => ({
  ...blank,
  auctionId: event.auctionId,
  submitter: event.submitter,
  jobId: event.jobId,
  tier: event.tier,
  requiredTops: event.requiredTops,
  utilization: event.utilization,
  durationSeconds: event.durationSeconds,
  ...(event.tRef === undefined ? {} : { tRef: event.tRef }),
  ...(event.memoryMb === undefined ? {} : { memoryMb: event.memoryMb }),
  ...(event.rule === 'risk-priced' && { rule: event.rule }),
  winners: event.winners,
  minimumOwners: event.minimumOwners,
  ceiling: event.ceiling,
  seed: event.seed,
  auctionSeconds: event.auctionSeconds,
  ...(event.reservation && { reservation: event.reservation }),
  since: event.openedAt,
  closesAt: event.closesAt,
});

export const sealedBidOf = ({ type: _, ...bid }: BidPlaced): SealedBid => bid;

export const failed = (event: AuctionFailed): Partial<Auction> => ({
  failure: { reason: event.reason, message: event.message },
  verdicts: event.verdicts,
});

export const awarded = (event: AuctionAwarded): Partial<Auction> => ({
  awarded: event.winners,
  verdicts: event.verdicts,
  allocateBy: event.allocateBy,
});
