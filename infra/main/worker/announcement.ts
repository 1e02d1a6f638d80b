import type { Auction } from '../../../domain/auction/auction.ts';
import type { AuctionAnnouncement } from '../../../domain/mesh/messages.ts';

/** What bidders are told: the terms, nothing of the bids. */
export const announcementOf = (auction: Auction): AuctionAnnouncement => ({
  auctionId: auction.auctionId,
  submitter: auction.submitter,
  tier: auction.tier,
  requiredTops: auction.requiredTops,
  utilization: auction.utilization,
  durationSeconds: auction.durationSeconds,
  ...(auction.tRef === undefined ? {} : { tRef: auction.tRef }),
  ...(auction.memoryMb === undefined ? {} : { memoryMb: auction.memoryMb }),
  winners: auction.winners,
  ceiling: auction.ceiling,
  closesAt: auction.closesAt,
});
