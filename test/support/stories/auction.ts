import type { AuctionEvent } from '../../../domain/auction/events.ts';
import { at, bidOf, type Draw, hex, micro, type Story, ulid, winnerOf } from './parts.ts';

export const auctionStory = (seed: number, draw: Draw): Story => {
  const auctionId = `auction-${ulid(seed)}`;
  const jobId = draw(2) === 0 ? `job-${ulid(seed)}` : null;
  const bids = Array.from({ length: draw(5) }, (_, index) => bidOf(seed, index));
  const events: AuctionEvent[] = [
    {
      type: 'auction.opened',
      machineVersion: 2,
      auctionId,
      submitter: 'subject-submitter',
      jobId,
      quoteId: `quote-${seed}`,
      tier: 'gold',
      tierTableVersion: 1,
      requiredTops: 500.5,
      utilization: 0.5,
      durationSeconds: 60,
      winners: 3,
      requiredUp: 2,
      minimumOwners: 4,
      ceiling: micro(888_889),
      rule: 'critical-value',
      seed: hex(seed),
      auctionSeconds: 10,
      openedAt: at(seed),
      closesAt: at(seed + 10),
    },
    ...bids.map(
      ({ bidId, providerId, owner }): AuctionEvent => ({
        type: 'auction.bid-placed',
        bidId,
        providerId,
        owner,
        sealed: `box-${bidId}`,
        deposit: micro(888_889),
        placedAt: at(seed + 1),
      }),
    ),
  ];
  const verdicts = bids.map((bid, index) => ({
    bidId: bid.bidId,
    state: index < 3 ? ('won' as const) : ('lost' as const),
    reason: 'price',
  }));
  const extension = draw(4);
  // The close comes first where the trust gate thinned the bids.
  if (extension === 1 && bids.length === 4) events.push({ type: 'auction.closed', closedAt: at(seed + 10) });
  if (extension < 2) {
    events.push({
      type: 'auction.extended',
      extendedAt: at(seed + 10),
      closesAt: at(seed + 20),
      owners: bids.length,
    });
  }
  if (bids.length < 4) {
    events.push({
      type: 'auction.failed',
      reason: 'AUCTION_NOT_ENOUGH_BIDS',
      message: `have ${bids.length}, need 4`,
      verdicts: bids.map(({ bidId }) => ({ bidId, state: 'expired', reason: 'too few bids' })),
    });
    return { stream: auctionId, events };
  }
  events.push(
    { type: 'auction.closed', closedAt: at(seed + 20) },
    {
      type: 'auction.bids-opened',
      bids: bids.slice(1),
      refused: [{ bidId: bids[0]?.bidId ?? '', state: 'rejected', reason: 'unreadable' }],
    },
    {
      type: 'auction.awarded',
      winners: [1, 2, 3].map((index) => winnerOf(seed, index)),
      verdicts,
      total: micro(2_706),
      predictedAvailability: 0.999_123_456_7,
      ...(draw(2) === 0 ? { method: 'exact' } : { method: 'best-found', atLeast: micro(2_000) }),
      allocateBy: jobId === null ? at(seed + 900) : null,
    },
  );
  if (jobId === null) {
    events.push(
      draw(2) === 0
        ? { type: 'auction.allocated', jobId: `job-${ulid(seed)}` }
        : { type: 'auction.lapsed', lapsedAt: at(seed + 900) },
    );
  }
  return { stream: auctionId, events };
};
