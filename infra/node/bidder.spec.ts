import { expect, test, vi } from 'vitest';
import { type Rejection, reject } from '../../domain/errors.ts';
import type { AuctionAnnouncement } from '../../domain/mesh/messages.ts';
import { toMicro } from '../../domain/money.ts';
import { addSeconds, epochMs, instant } from '../../domain/time.ts';
import { createBidder } from './bidder.ts';
import { createCapacityBook } from './capacity.ts';
import type { Engines } from './engines.ts';

const opensAt = instant(1_000_000);
const closesAt = addSeconds(opensAt, 10);
const auction: AuctionAnnouncement = {
  auctionId: 'auction-1',
  submitter: 'subject-submitter',
  tier: 'silver',
  requiredTops: 100,
  utilization: 0.8,
  durationSeconds: 60,
  winners: 2,
  ceiling: toMicro(1_000_000n),
  closesAt,
};
const away = reject('RESOURCE_UNAVAILABLE', 'the engine did not answer (timeout)');
const placed = { type: 'bid-placed', bidId: 'bid-1' } as const;

/** What waits for nothing but promises is done. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A bidder, the engines' answers to its bids in turn, and the clock that its waits move. */
const bidding = (...answers: readonly (typeof placed | Rejection)[]) => {
  let now = epochMs(opensAt);
  const policy = { pricePerH200Hour: toMicro(1_000n), floor: toMicro(1n), margin: 0, maxConcurrent: 3 };
  const node = { owner: 'subject-owner', tops: 1_000, memoryMb: 4096 };
  const capacity = createCapacityBook({ policy, node, nowMs: () => now });
  const asked: { readonly price: unknown; readonly untilMs: number }[] = [];
  const never = Promise.withResolvers<never>();
  const ask = async (request: object, untilMs: number) => {
    const bid = request as { readonly type: string; readonly price?: unknown };
    if (bid.type !== 'bid') return never.promise;
    asked.push({ price: bid.price, untilMs });
    const answer = answers[asked.length - 1];
    if (!answer) throw new Error('asked once too often');
    if ('ok' in answer) now = untilMs;
    return answer;
  };
  const bidder = createBidder({
    policy,
    node,
    bidDelayMs: 0,
    seed: new Uint8Array(32).fill(7),
    capacity,
    fuelRate: () => Promise.resolve({ perSecond: 1e12, cores: 64, startSeconds: 0 }),
    engines: { ask } as unknown as Engines,
    nowMs: () => now,
    pause: (ms) => (ms > 0 ? never.promise : Promise.resolve()),
    signal: new AbortController().signal,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  return { bidder, capacity, asked };
};

test('a bid into an engine that is away is sent again, at its price, when the auction takes bids for longer', async () => {
  const { bidder, asked } = bidding(away, placed);
  bidder.opened(auction);
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  await settled();
  const later = addSeconds(closesAt, 10);
  bidder.opened({ ...auction, closesAt: later });
  await vi.waitFor(() => expect(asked).toHaveLength(2));
  expect(asked).toEqual([
    { price: asked[0]?.price, untilMs: epochMs(closesAt) },
    { price: asked[0]?.price, untilMs: epochMs(later) },
  ]);
  // Answered, it is not sent a third time.
  bidder.opened({ ...auction, closesAt: addSeconds(closesAt, 20) });
  await settled();
  expect(asked).toHaveLength(2);
});

test.each([
  { code: 'AUTHORIZATION_FAILED', stands: false },
  { code: 'CONFLICT', stands: true },
] as const)('a bid answered with $code is not sent again', async ({ code, stands }) => {
  const { bidder, asked, capacity } = bidding(reject(code, 'no'));
  bidder.opened(auction);
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  await settled();
  expect(capacity.stands(auction.auctionId)).toBe(stands);
  if (stands) bidder.opened({ ...auction, closesAt: addSeconds(closesAt, 10) });
  await settled();
  expect(asked).toHaveLength(1);
});

test('an auction that there was no room for gets its bid when room is freed before its close, and none after', async () => {
  const { bidder, asked, capacity } = bidding(placed);
  for (const place of ['1', '2', '3']) capacity.occupy(`enclave-${place}`, 64);
  bidder.opened(auction);
  await settled();
  expect(asked).toHaveLength(0);
  capacity.vacate('enclave-1');
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  await settled();
  expect(capacity.stands(auction.auctionId)).toBe(true);

  capacity.occupy('enclave-4', 64);
  const over = { ...auction, auctionId: 'auction-2' };
  bidder.opened(over);
  await settled();
  bidder.ended(over.auctionId, { won: false });
  capacity.vacate('enclave-2');
  await settled();
  expect(asked).toHaveLength(1);
});
