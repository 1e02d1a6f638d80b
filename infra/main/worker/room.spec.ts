import { expect, test } from 'vitest';
import type { Auction } from '../../../domain/auction/auction.ts';
import type { NodeGateway } from '../../../domain/ports/node-gateway.ts';
import { createAskRoom } from './room.ts';

type Reply = Awaited<ReturnType<NodeGateway['request']>> | { type: 'bid-confirmed'; hasRoom: boolean };

const auction = { auctionId: 'auction-1', requiredTops: 100 } as Auction;
const unreachable = (cause: 'node' | 'engine'): Reply => ({
  type: 'unreachable',
  message: 'no answer',
  cause,
});
const confirmed = (hasRoom: boolean): Reply => ({ type: 'bid-confirmed', hasRoom });

/** What comes of a node's replies, the last one repeated, each after so many ms. */
const roomAfter = async (replies: readonly Reply[], eachMs = 1_000) => {
  let now = 0;
  let asked = 0;
  const gateway = {
    request: async () => {
      now += eachMs;
      return replies[Math.min(asked++, replies.length - 1)];
    },
  } as unknown as NodeGateway;
  const ask = createAskRoom({ gateway, monotonicMs: () => now, pause: async (ms) => void (now += ms) });
  return { room: await ask('provider-1', auction), asked, now };
};

test.each([
  { replies: [confirmed(true)], room: 'held', asked: 1 },
  { replies: [confirmed(false)], room: 'full', asked: 1 },
  { replies: [unreachable('node'), confirmed(true)], room: 'held', asked: 2 },
  { replies: [unreachable('node')], room: 'silent', asked: 2 },
  { replies: [unreachable('engine'), confirmed(true)], room: 'held', asked: 2 },
])('$room, asked $asked times', async ({ replies, room, asked }) => {
  expect(await roomAfter(replies)).toMatchObject({ room, asked });
});

test('a node without a way to it is away after two seconds of asking', async () => {
  const { room, now } = await roomAfter([unreachable('engine')], 1);
  expect(room).toBe('away');
  expect(now).toBeGreaterThanOrEqual(2_000);
  expect(now).toBeLessThan(2_500);
});

test('a stall of this process is not the silence of a node: it is asked once more', async () => {
  expect(await roomAfter([unreachable('node'), confirmed(true)], 20_000)).toMatchObject({
    room: 'held',
    asked: 2,
  });
});
