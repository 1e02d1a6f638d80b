import { setTimeout as sleep } from 'node:timers/promises';
import { type CostPolicy, chooseBid, type NodeCapacity } from '../../domain/mesh/bid-policy.ts';
import type { AuctionAnnouncement } from '../../domain/mesh/messages.ts';
import { signBid } from '../../domain/mesh/signed-bid.ts';
import type { Micro } from '../../domain/money.ts';
import { epochMs } from '../../domain/time.ts';
import type { CapacityBook } from './capacity.ts';
import type { Engines } from './engines.ts';
import type { NodeLogger } from './logger.ts';

export interface BidderDeps {
  readonly policy: CostPolicy;
  readonly node: NodeCapacity;
  readonly bidDelayMs: number;
  /** The node's 32-byte key. */
  readonly seed: Uint8Array;
  readonly capacity: CapacityBook;
  readonly engines: Engines;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
  readonly log: NodeLogger;
}

export interface Bidder {
  /** Bids, once per auction, when the cost policy and the free capacity allow it. */
  opened(auction: AuctionAnnouncement): void;
  ended(auctionId: string, won: boolean): void;
}

export const createBidder = (deps: BidderDeps): Bidder => {
  const { policy, node, capacity, engines, log } = deps;

  const send = async (auction: AuctionAnnouncement, price: Micro): Promise<void> => {
    const { auctionId } = auction;
    await sleep(deps.bidDelayMs, undefined, { signal: deps.signal });
    const signature = Buffer.from(signBid(deps.seed, { auctionId, price })).toString('base64url');
    const reply = await engines.ask<'bid'>(
      { type: 'bid', auctionId, price, signature },
      epochMs(auction.closesAt),
    );
    if (!('ok' in reply)) {
      log.info({ auctionId, bidId: reply.bidId }, 'bid placed');
      return;
    }
    // A conflict is a bid of ours that already stands, placed before a restart: it still holds its capacity.
    if (reply.code !== 'CONFLICT') capacity.release(auctionId);
    log.warn({ auctionId, code: reply.code, reason: reply.message }, 'bid refused');
  };

  return {
    opened(auction) {
      const { auctionId, requiredTops } = auction;
      const closesAtMs = epochMs(auction.closesAt);
      if (closesAtMs <= deps.nowMs()) return;
      if (capacity.reserved(auctionId)) {
        capacity.extend(auctionId, closesAtMs);
        return;
      }
      const choice = chooseBid(policy, node, capacity.load(), auction);
      if (!choice.bid || !capacity.reserve(auctionId, requiredTops, closesAtMs)) {
        log.info({ auctionId, reason: choice.bid ? 'no-capacity' : choice.reason }, 'no bid');
        return;
      }
      send(auction, choice.price).catch((error: unknown) => {
        capacity.release(auctionId);
        if (!deps.signal.aborted) log.error({ auctionId, err: error }, 'bid failed');
      });
    },
    ended(auctionId, won) {
      if (won) capacity.won(auctionId);
      else capacity.release(auctionId);
    },
  };
};
