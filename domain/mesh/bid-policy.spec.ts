import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toMicro, units } from '../money.ts';
import { askingPrice, type CostPolicy, chooseBid, type Load } from './bid-policy.ts';
import type { FuelRate } from './fuel-rate.ts';
import type { AuctionAnnouncement } from './messages.ts';

const policy: CostPolicy = {
  pricePerH200Hour: toMicro('300000'),
  floor: toMicro('1'),
  margin: 0,
  maxConcurrent: 4,
};
const node = { owner: 'subject-1', tops: 2000, memoryMb: 8192 };
const idle: Load = { slots: 0, tops: 0, memoryMb: 0 };
const fast: FuelRate = { perSecond: 1e15, cores: 64, startSeconds: 0 };
const auction: AuctionAnnouncement = {
  auctionId: `auction-${'0'.repeat(26)}`,
  submitter: 'subject-2',
  tier: 'gold',
  requiredTops: 900,
  utilization: 1,
  durationSeconds: 3600,
  winners: 3,
  ceiling: toMicro('1000000'),
  closesAt: '2026-01-01T00:00:00.000Z',
};

const micro = (max: bigint) => fc.bigInt({ min: 0n, max }).map(toMicro);
/** Of the memory of an H200. */
const shareOf = (memoryMb = 0): number => (memoryMb * 1_048_576) / 141e9;
const anyPolicy = fc.record<CostPolicy>({
  pricePerH200Hour: micro(10n ** 9n),
  floor: micro(10n ** 6n),
  margin: fc.double({ min: 0, max: 3, noNaN: true }),
  maxConcurrent: fc.integer({ min: 1, max: 16 }),
});
const anyLoad = fc.record<Load>({
  slots: fc.integer({ min: 0, max: 20 }),
  tops: fc.integer({ min: 0, max: 4000 }),
  memoryMb: fc.integer({ min: 0, max: 16_384 }),
});
const anyAuction = fc
  .record({
    submitter: fc.constantFrom('subject-1', 'subject-2'),
    requiredTops: fc.double({ min: 0.001, max: 5000, noNaN: true }),
    utilization: fc.double({ min: 0, max: 1, noNaN: true }),
    durationSeconds: fc.double({ min: 0.001, max: 86_400, noNaN: true }),
    ceiling: micro(10n ** 9n),
    tRef: fc.constantFrom(900, 1800, 0.37),
    memoryMb: fc.integer({ min: 1, max: 4096 }),
  })
  .map((terms): AuctionAnnouncement => ({ ...auction, ...terms }));

describe('cost policy', () => {
  it('asks the price of one H200-hour for one H200-hour', () => {
    expect(askingPrice(policy, auction)).toBe('300000');
    expect(askingPrice(policy, { ...auction, utilization: 0.5 })).toBe('150000');
    expect(askingPrice({ ...policy, margin: 0.1 }, auction)).toBe('330000');
    expect(askingPrice({ ...policy, floor: toMicro('500000') }, auction)).toBe('500000');
  });

  it('settled 41: does not keep its capacity for less than that is worth for 30 seconds, however little is done there', () => {
    for (const [utilization, durationSeconds, price] of [
      [1, 31, '2584'],
      [0.5, 31, '2500'],
      [1, 0.001, '2500'],
      [0, 3600, '2500'],
    ] as const)
      expect(askingPrice(policy, { ...auction, utilization, durationSeconds })).toBe(price);
    // A place of 2,000 TOPS on four is a quarter of them, whatever the job asks for.
    const tiny = { ...auction, requiredTops: 1, durationSeconds: 1 };
    expect(chooseBid(policy, node, idle, fast, tiny)).toMatchObject({ bid: true, price: '1389' });
    expect(askingPrice({ ...policy, pricePerH200Hour: toMicro('0') }, tiny, 500)).toBe('1');
  });

  it('asks for the memory that a job keeps where that is the larger share of the node', () => {
    const hoarder = { ...auction, requiredTops: 1, memoryMb: 4096 };
    // 4 GiB of 141 GB for an hour, as for 27.4 TOPS.
    expect(askingPrice(policy, hoarder)).toBe('9139');
    expect(askingPrice(policy, { ...hoarder, utilization: 0, tRef: 1800 })).toBe('9139');
    expect(askingPrice(policy, { ...hoarder, durationSeconds: 1 })).toBe('77');
    expect(askingPrice(policy, { ...auction, memoryMb: 4096 })).toBe(askingPrice(policy, auction));
    expect(chooseBid(policy, node, { ...idle, memoryMb: 4096 }, fast, hoarder)).toMatchObject({
      bid: true,
      price: '9139',
    });
    expect(chooseBid(policy, node, { ...idle, memoryMb: 4097 }, fast, hoarder)).toEqual({
      bid: false,
      reason: 'no-capacity',
    });
  });

  it('counts H200-hours by the reference that the auction was priced by', () => {
    expect(askingPrice(policy, { ...auction, tRef: 900 })).toBe('300000');
    expect(askingPrice(policy, { ...auction, tRef: 1800 })).toBe('150000');
    expect(askingPrice(policy, { ...auction, tRef: 0.5 })).toBe('540000000');
    // A node never sells below its cost: what cannot be told apart from nothing is not divided by.
    expect(units(askingPrice(policy, { ...auction, tRef: Number.MIN_VALUE }))).toBeGreaterThan(10n ** 14n);
    // The same work at half the ceiling is bid for at half the price, not turned down.
    const priced = { ...auction, tRef: 1800, ceiling: toMicro('200000') };
    expect(chooseBid(policy, node, idle, fast, priced)).toMatchObject({ bid: true, price: '150000' });
  });

  it('never asks less than the cost, nor less than the floor', () => {
    fc.assert(
      fc.property(anyPolicy, anyAuction, (costs, job) => {
        const price = units(askingPrice(costs, job));
        const tops = (job.requiredTops * job.utilization) / (job.tRef ?? 900);
        const hours = (Math.max(tops, shareOf(job.memoryMb)) * job.durationSeconds) / 3600;
        const cost = Number(costs.pricePerH200Hour) * hours * (1 + costs.margin);
        expect(price).toBeGreaterThanOrEqual(units(costs.floor));
        // Doubles carry 15 digits; the price itself is exact.
        expect(Number(price)).toBeGreaterThanOrEqual(cost * (1 - 1e-12));
      }),
    );
  });

  it('never bids above the ceiling, on an auction of its owner, or beyond its capacity', () => {
    fc.assert(
      fc.property(anyPolicy, anyLoad, anyAuction, (costs, load, job) => {
        const choice = chooseBid(costs, node, load, fast, job);
        if (!choice.bid) return;
        expect(units(choice.price)).toBeLessThanOrEqual(units(job.ceiling));
        expect(job.submitter).not.toBe(node.owner);
        expect(load.slots + 1).toBeLessThanOrEqual(costs.maxConcurrent);
        expect(load.tops + job.requiredTops).toBeLessThanOrEqual(node.tops);
        expect(load.memoryMb + (job.memoryMb ?? 0)).toBeLessThanOrEqual(node.memoryMb);
      }),
      { numRuns: 1000 },
    );
  });

  it('bids whenever it may', () => {
    fc.assert(
      fc.property(anyPolicy, anyAuction, (costs, job) => {
        const may =
          job.submitter !== node.owner &&
          job.requiredTops <= node.tops &&
          units(askingPrice(costs, job, node.tops / costs.maxConcurrent)) <= units(job.ceiling);
        expect(chooseBid(costs, node, idle, fast, job).bid).toBe(may);
      }),
      { numRuns: 1000 },
    );
  });

  it('says why it does not bid', () => {
    expect(chooseBid(policy, node, idle, fast, { ...auction, submitter: 'subject-1' })).toEqual({
      bid: false,
      reason: 'own-auction',
    });
    expect(chooseBid(policy, node, { slots: 4, tops: 0, memoryMb: 0 }, fast, auction)).toEqual({
      bid: false,
      reason: 'no-capacity',
    });
    expect(chooseBid(policy, node, { slots: 0, tops: 1101, memoryMb: 0 }, fast, auction)).toEqual({
      bid: false,
      reason: 'no-capacity',
    });
    expect(chooseBid(policy, node, idle, fast, { ...auction, ceiling: toMicro('299999') })).toEqual({
      bid: false,
      reason: 'above-ceiling',
    });
  });

  it('settled 44: promises no run that its machine cannot finish, nor any before that is known', () => {
    const rate = (perSecond: number): FuelRate => ({ perSecond, cores: 64, startSeconds: 1 });
    // 900 TOPS, fully used for an hour: 900 million units a second, and a second less for its start.
    expect(chooseBid(policy, node, idle, rate(900_300_000), auction)).toMatchObject({
      bid: true,
      price: '300000',
    });
    for (const [known, reason] of [
      [rate(900_200_000), 'not-in-time'],
      [null, 'not-measured'],
    ] as const)
      expect(chooseBid(policy, node, idle, known, auction)).toEqual({ bid: false, reason });
  });
});
