import type { AuctionAwarded, BidState, Winner } from '../../domain/auction/events.ts';
import type { Micro } from '../../domain/money.ts';
import type { TierName } from '../../domain/tiers.ts';
import type { Table } from '../table.ts';

/** A bid as everybody may see it after the close. */
export interface ClosedBid {
  readonly bidId: string;
  /** Null when the box was never opened: too few bids, or unreadable. */
  readonly providerId: string | null;
  readonly owner: string | null;
  readonly price: Micro | null;
  /** What its risk added to the price in the award; null where risk has no price. */
  readonly surcharge: Micro | null;
  readonly state: BidState;
  readonly reason: string | null;
}

export interface AuctionRow {
  readonly auctionId: string;
  readonly submitter: string;
  readonly jobId: string | null;
  readonly quoteId: string;
  readonly tier: TierName;
  readonly tierTableVersion: number;
  readonly requiredTops: number;
  readonly durationSeconds: number;
  readonly winnerCount: number;
  readonly requiredUp: number;
  readonly minimumOwners: number;
  /** Per winner; also the deposit of a bid. */
  readonly ceiling: Micro;
  readonly auctionSeconds: number;
  readonly state: 'open' | 'opening' | 'awarded' | 'allocated' | 'lapsed' | 'failed';
  readonly reason: string | null;
  readonly message: string | null;
  readonly openedAt: string;
  readonly closesAt: string;
  readonly extended: boolean;
  readonly closedAt: string | null;
  /** Bids placed so far. Their number and times are public, who bid and for how much is not (settled 36). */
  readonly bidsPlaced: number;
  readonly firstBidAt: string | null;
  readonly lastBidAt: string | null;
  /** Null before the close. */
  readonly bids: readonly ClosedBid[] | null;
  readonly winners: readonly Winner[];
  /** Sum of the payments. */
  readonly total: Micro | null;
  readonly predictedAvailability: number | null;
  /** Whether no set of bids was cheaper, or the solver's effort ended before that was known. */
  readonly method: AuctionAwarded['method'] | null;
  /** With `best-found`: what every set of bids costs at least. */
  readonly atLeast: Micro | null;
  readonly allocateBy: string | null;
  readonly position: string;
}

export const auctionsTable: Table<AuctionRow> = {
  name: 'auctions',
  key: ['auctionId'],
  columns: {
    auctionId: 'text',
    submitter: 'text',
    jobId: 'text',
    quoteId: 'text',
    tier: 'text',
    tierTableVersion: 'integer',
    requiredTops: 'real',
    durationSeconds: 'real',
    winnerCount: 'integer',
    requiredUp: 'integer',
    minimumOwners: 'integer',
    ceiling: 'amount',
    auctionSeconds: 'integer',
    state: 'text',
    reason: 'text',
    message: 'text',
    openedAt: 'instant',
    closesAt: 'instant',
    extended: 'boolean',
    closedAt: 'instant',
    bidsPlaced: 'integer',
    firstBidAt: 'instant',
    lastBidAt: 'instant',
    bids: 'json',
    winners: 'json',
    total: 'amount',
    predictedAvailability: 'real',
    method: 'text',
    atLeast: 'amount',
    allocateBy: 'instant',
    position: 'position',
  },
  indexes: [['state']],
};
