import type { BidOutcome } from '../../domain/auction/reservation.ts';
import { type ErrorCode, type Rejection, reject } from '../../domain/errors.ts';
import { type CostPolicy, chooseBid, type NodeCapacity, type Size } from '../../domain/mesh/bid-policy.ts';
import { type FuelRate, secondsFor } from '../../domain/mesh/fuel-rate.ts';
import type { AuctionAnnouncement, NodeReplies } from '../../domain/mesh/messages.ts';
import type { Micro } from '../../domain/money.ts';
import { epochMs } from '../../domain/time.ts';
import { signBid } from '../p2p/signed-bid.ts';
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
  /** What the machine does; null where that is not known by then. */
  readonly fuelRate: (untilMs: number) => Promise<FuelRate | null>;
  readonly engines: Engines;
  readonly nowMs: () => number;
  /** Waits; rejects when `signal` aborts. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly signal: AbortSignal;
  readonly log: NodeLogger;
}

export interface Bidder {
  /**
   * Bids, once per auction and in its last seconds, when cost policy, free capacity and the speed of the machine allow it. What
   * there is no room for is looked at again when room is freed before the close.
   */
  opened(auction: AuctionAnnouncement): void;
  /** Whether there is room for a bid of this size; from now on it is held. */
  confirm(auctionId: string, size: Size): boolean;
  ended(auctionId: string, outcome: BidOutcome): void;
  /** Books the capacity for an auction that its bid did not win, or says no, which is free. */
  standIn(request: {
    readonly auctionId: string;
    readonly tops: number;
    readonly memoryMb?: number;
  }): NodeReplies['stand-in'] | Rejection;
}

/**
 * A bid holds a deposit until its outcome, so that it is placed no earlier than this before the close, ms: an auction that
 * is open for an hour and costs its submitter next to nothing must not hold an account for as long. It is longer than an
 * engine may stall (20 s), so that a bid sent into a stall is in before the close.
 */
const LEAD_MS = 30_000;
/** How long after a close its news is waited for, and between two questions about it, ms. */
const ASK_MS = 3_000;

/**
 * Refusals after which a bid may stand all the same: it was placed before a restart, or its answer was lost.
 */
const STANDS: ReadonlySet<ErrorCode> = new Set(['CONFLICT', 'RESOURCE_UNAVAILABLE', 'INTERNAL_ERROR']);
/** Those among them that say nothing of the bid: while the auction takes bids, it is worth sending it again. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['RESOURCE_UNAVAILABLE', 'INTERNAL_ERROR']);

export const createBidder = (deps: BidderDeps): Bidder => {
  const { policy, node, capacity, engines, log } = deps;

  /** Bids that were sent and not answered: whether they stand is unknown. Sent again, a bid meets itself. */
  const unanswered = new Map<string, Micro>();

  const send = async (auctionId: string, price: Micro): Promise<void> => {
    unanswered.delete(auctionId);
    const signature = Buffer.from(signBid(deps.seed, { auctionId, price })).toString('base64url');
    for (;;) {
      const closesAtMs = capacity.unheard(auctionId);
      if (closesAtMs === null) return;
      const reply = await engines.ask<'bid'>({ type: 'bid', auctionId, price, signature }, closesAtMs);
      if (!('ok' in reply)) {
        log.info({ auctionId, bidId: reply.bidId }, 'bid placed');
        return;
      }
      log.warn({ auctionId, code: reply.code, reason: reply.message }, 'bid refused');
      if (!STANDS.has(reply.code)) return capacity.release(auctionId);
      if (!PASSING.has(reply.code)) return;
      if (capacity.unheard(auctionId) === closesAtMs) {
        unanswered.set(auctionId, price);
        return;
      }
    }
  };

  /** The auction takes bids for longer: a bid that got no answer has another chance. */
  const extended = (auctionId: string, closesAtMs: number): void => {
    capacity.extend(auctionId, closesAtMs);
    const price = unanswered.get(auctionId);
    if (price === undefined || (capacity.unheard(auctionId) ?? 0) <= deps.nowMs()) return;
    send(auctionId, price).catch((error: unknown) => failed(auctionId, error));
  };

  const failed = (auctionId: string, error: unknown): void => {
    capacity.release(auctionId);
    if (!deps.signal.aborted) log.error({ auctionId, err: error }, 'bid failed');
  };

  const ended = (auctionId: string, { won, takenBy }: BidOutcome): void => {
    waiting.delete(auctionId);
    turnedAway.delete(auctionId);
    unanswered.delete(auctionId);
    if (won) capacity.won(auctionId, takenBy === undefined ? undefined : epochMs(takenBy));
    else capacity.release(auctionId);
  };

  /** Auctions that take bids for longer than a bid is worth its deposit, until their last seconds. */
  const waiting = new Map<string, AuctionAnnouncement>();

  /** Auctions that there was no room for: looked at again when some is freed. */
  const turnedAway = new Map<string, AuctionAnnouncement>();

  const answer = (auction: AuctionAnnouncement, rate: FuelRate | null): void => {
    const { auctionId } = auction;
    const choice = chooseBid(policy, node, capacity.load(), rate, auction);
    if (!choice.bid || !capacity.stand(auctionId, choice.size, epochMs(auction.closesAt))) {
      const reason = choice.bid ? 'no-capacity' : choice.reason;
      const { durationSeconds } = auction;
      const times =
        rate && reason === 'not-in-time' ? { neededSeconds: secondsFor(rate, auction), durationSeconds } : {};
      if (reason === 'no-capacity') turnedAway.set(auctionId, auction);
      log.info({ auctionId, reason, ...times }, 'no bid');
      return;
    }
    deps
      .pause(deps.bidDelayMs, deps.signal)
      .then(() => send(auctionId, choice.price))
      .then(() => follow(auctionId))
      .catch((error: unknown) => failed(auctionId, error));
  };

  /** Answers when the auction has no more than `LEAD_MS` to go, and the rate is known. */
  const attend = async (auctionId: string): Promise<void> => {
    for (let auction = waiting.get(auctionId); auction; auction = waiting.get(auctionId)) {
      const closesAtMs = epochMs(auction.closesAt);
      const waitMs = closesAtMs - LEAD_MS - deps.nowMs();
      if (waitMs > 0) {
        await deps.pause(waitMs, deps.signal);
        continue;
      }
      const rate = await deps.fuelRate(closesAtMs);
      // Extended or over meanwhile.
      if (waiting.get(auctionId) !== auction) continue;
      waiting.delete(auctionId);
      return answer(auction, rate);
    }
  };

  /** Asks what became of a bid, as long as the news of it has not come. */
  const follow = async (auctionId: string): Promise<void> => {
    for (;;) {
      const closesAtMs = capacity.unheard(auctionId);
      if (closesAtMs === null) {
        unanswered.delete(auctionId);
        return;
      }
      const waitMs = Math.max(0, closesAtMs - deps.nowMs()) + ASK_MS;
      await deps.pause(waitMs, deps.signal);
      // Extended meanwhile, or heard of.
      if (capacity.unheard(auctionId) !== closesAtMs) continue;
      const news = await engines.ask<'bid-outcome'>(
        { type: 'bid-outcome', auctionId },
        deps.nowMs() + ASK_MS,
      );
      if ('ok' in news) continue;
      if (news.type === 'still-open') extended(auctionId, epochMs(news.closesAt));
      else ended(auctionId, news);
    }
  };

  const opened = (auction: AuctionAnnouncement): void => {
    const { auctionId } = auction;
    turnedAway.delete(auctionId);
    const closesAtMs = epochMs(auction.closesAt);
    if (closesAtMs <= deps.nowMs()) return;
    if (capacity.stands(auctionId)) {
      extended(auctionId, closesAtMs);
      return;
    }
    const known = waiting.get(auctionId);
    if (known && epochMs(known.closesAt) >= closesAtMs) return;
    waiting.set(auctionId, auction);
    if (known) return;
    attend(auctionId).catch((error: unknown) => {
      waiting.delete(auctionId);
      if (!deps.signal.aborted) log.error({ auctionId, err: error }, 'bid failed');
    });
  };

  capacity.onFreed(() => {
    for (const auction of [...turnedAway.values()]) opened(auction);
  });

  return {
    opened,
    confirm: (auctionId, size) => capacity.confirm(auctionId, size),
    ended,
    standIn({ auctionId, tops, memoryMb = 0 }) {
      // Asked twice, it is booked once.
      if (!capacity.confirm(auctionId, { tops, memoryMb }))
        return reject('RESOURCE_UNAVAILABLE', 'all capacity of this node is taken');
      capacity.won(auctionId);
      log.info({ auctionId }, 'standing in');
      return { type: 'standing-in' };
    },
  };
};
