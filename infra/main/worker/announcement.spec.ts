import { expect, test } from 'vitest';
import type { Auction } from '../../../domain/auction/auction.ts';
import { decide } from '../../../domain/auction/decide.ts';
import { auctionMachine } from '../../../domain/auction/machine.ts';
import { askingPrice, type CostPolicy, sizeOf } from '../../../domain/mesh/bid-policy.ts';
import { nodeRequestSchema } from '../../../domain/mesh/schema.ts';
import { toMicro } from '../../../domain/money.ts';
import { TIER_TABLE_VERSION } from '../../../domain/tiers.ts';
import { machineDecider, specify } from '../../../test/support/decider.ts';
import { announcementOf } from './announcement.ts';

const policy: CostPolicy = {
  pricePerH200Hour: toMicro('300000'),
  floor: toMicro('1'),
  margin: 0,
  maxConcurrent: 4,
};

const opening = (tRef?: number, memoryMb?: number) => ({
  type: 'open' as const,
  auctionId: `auction-${'0'.repeat(26)}`,
  submitter: 'subject-1',
  jobId: null,
  quoteId: 'quote-1',
  tier: 'gold' as const,
  tierTableVersion: TIER_TABLE_VERSION,
  requiredTops: 900,
  utilization: 1,
  durationSeconds: 3600,
  ceiling: toMicro('500000'),
  auctionSeconds: 60,
  seed: 'ab'.repeat(32),
  ...(tRef === undefined ? {} : { tRef }),
  ...(memoryMb === undefined ? {} : { memoryMb }),
});

const announced = (tRef?: number, memoryMb?: number) => {
  const { given } = specify(machineDecider(auctionMachine, decide));
  const at = { now: '2026-01-01T00:00:00.000Z', actor: 'subject-1' };
  const auction: Auction = given().when(opening(tRef, memoryMb), at).thenState().context;
  const frame = JSON.parse(JSON.stringify({ type: 'auction-opened', auction: announcementOf(auction) }));
  const request = nodeRequestSchema.parse(frame);
  if (request.type !== 'auction-opened') throw new Error(request.type);
  return request.auction;
};

test.each([
  [1800, '150000'],
  [900, '300000'],
  [undefined, '300000'],
])(
  'H200_REFERENCE_TOPS %s: reaches the price of a bid through event, announcement and frame',
  (tRef, price) => {
    expect(askingPrice(policy, announced(tRef))).toBe(price);
  },
);

test('memory reaches the node, which books and prices it', () => {
  const auction = announced(1_000_000, 4096);
  expect(sizeOf(auction)).toEqual({ tops: 900, memoryMb: 4096 });
  expect(sizeOf(announced())).toEqual({ tops: 900, memoryMb: 0 });
  expect(askingPrice(policy, auction)).toBe('9139');
});
