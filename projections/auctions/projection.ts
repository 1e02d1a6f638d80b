import type { AuctionEvent, BidVerdict, OpenedBid } from '../../domain/auction/events.ts';
import { rowProjection } from '../row-model.ts';
import { type AuctionRow, auctionsTable, type ClosedBid } from './table.ts';

const openedBid = (bid: OpenedBid): ClosedBid => ({
  bidId: bid.bidId,
  providerId: bid.providerId,
  owner: bid.owner,
  price: bid.price,
  surcharge: bid.surcharge ?? null,
  state: 'active',
  reason: null,
});

const unopenedBid = ({ bidId, state, reason }: BidVerdict): ClosedBid => ({
  bidId,
  providerId: null,
  owner: null,
  price: null,
  surcharge: null,
  state,
  reason,
});

/** The bids after `verdicts`, which may also name bids that were never opened. */
const judged = (bids: readonly ClosedBid[], verdicts: readonly BidVerdict[]): ClosedBid[] => {
  const byId = new Map(verdicts.map((verdict) => [verdict.bidId, verdict]));
  const known = new Set(bids.map((bid) => bid.bidId));
  return [
    ...bids.map((bid) => {
      const verdict = byId.get(bid.bidId);
      return verdict ? { ...bid, state: verdict.state, reason: verdict.reason } : bid;
    }),
    ...verdicts.filter((verdict) => !known.has(verdict.bidId)).map(unopenedBid),
  ];
};

/** One row per auction. Of a bid under seal it keeps that and when it came, not whose it is. */
export const auctions = rowProjection<AuctionEvent, AuctionRow, 'auction.opened'>({
  name: 'auctions',
  version: 4,
  table: auctionsTable,
  first: 'auction.opened',
  create: (opened) => ({
    auctionId: opened.auctionId,
    submitter: opened.submitter,
    jobId: opened.jobId,
    quoteId: opened.quoteId,
    tier: opened.tier,
    tierTableVersion: opened.tierTableVersion,
    requiredTops: opened.requiredTops,
    durationSeconds: opened.durationSeconds,
    winnerCount: opened.winners,
    requiredUp: opened.requiredUp,
    minimumOwners: opened.minimumOwners,
    ceiling: opened.ceiling,
    auctionSeconds: opened.auctionSeconds,
    state: 'open',
    reason: null,
    message: null,
    openedAt: opened.openedAt,
    closesAt: opened.closesAt,
    extended: false,
    closedAt: null,
    bidsPlaced: 0,
    firstBidAt: null,
    lastBidAt: null,
    bids: null,
    winners: [],
    total: null,
    predictedAvailability: null,
    method: null,
    atLeast: null,
    allocateBy: null,
  }),
  on: {
    'auction.bid-placed': (row, { placedAt }) => ({
      bidsPlaced: row.bidsPlaced + 1,
      firstBidAt: row.firstBidAt ?? placedAt,
      lastBidAt: placedAt,
    }),
    // It may have closed before: when the trust gate left too few owners.
    'auction.extended': (_, { closesAt }) => ({
      state: 'open',
      closesAt,
      extended: true,
      closedAt: null,
      bids: null,
    }),
    'auction.closed': (_, { closedAt }) => ({ state: 'opening', closedAt, bids: [] }),
    'auction.bids-opened': (_, { bids, refused }) => ({ bids: judged(bids.map(openedBid), refused) }),
    'auction.awarded': (
      row,
      { winners, verdicts, total, predictedAvailability, method, atLeast, allocateBy },
    ) => ({
      state: allocateBy === null ? 'allocated' : 'awarded',
      bids: judged(row.bids ?? [], verdicts),
      winners,
      total,
      predictedAvailability,
      method,
      atLeast: atLeast ?? null,
      allocateBy,
    }),
    'auction.failed': (row, { reason, message, verdicts }, { occurredAt }) => ({
      state: 'failed',
      reason,
      message,
      closedAt: row.closedAt ?? occurredAt,
      bids: judged(row.bids ?? [], verdicts),
    }),
    'auction.allocated': (_, { jobId }) => ({ state: 'allocated', jobId }),
    'auction.lapsed': () => ({ state: 'lapsed' }),
  },
});
