import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toMicro, units } from '../money.ts';
import { TIER_NAMES, TIERS, type TierName, TYPE_UNAVAILABILITY } from '../tiers.ts';
import { type Award, type AwardInput, award } from './award.ts';
import type { OpenedBid } from './events.ts';
import { bidOf, generator, marketOf } from './market.fixture.ts';

const seed = 'cd'.repeat(32);
const ceiling = toMicro('1000');

const close = (tier: TierName, bids: readonly OpenedBid[], change: Partial<AwardInput> = {}) =>
  award({ tier, ceiling, bids, typeUnavailability: TYPE_UNAVAILABILITY, seed, ...change });

const awarded = (tier: TierName, bids: readonly OpenedBid[], change: Partial<AwardInput> = {}): Award => {
  const result = close(tier, bids, change);
  if (!result.ok) throw new Error(result.message);
  return result;
};

const payments = ({ winners }: Award): Record<string, string> =>
  Object.fromEntries(winners.map(({ bidId, payment }) => [bidId, payment]));

const prices = (...values: number[]): OpenedBid[] => values.map((price, index) => bidOf(index, price));

const wins = (result: ReturnType<typeof close>, bidId: string): boolean =>
  result.ok && result.winners.some((winner) => winner.bidId === bidId);

describe('worked cases', () => {
  test('domain-rules 1.3: A1=1, A2=2 (aws), B=5 (edge), C=6 (gcp): A1 is paid 2, B is paid 6, in total 8', () => {
    const bids = [
      bidOf(0, 1, { bidId: 'A1', infrastructureType: 'cloud_aws' }),
      bidOf(1, 2, { bidId: 'A2', infrastructureType: 'cloud_aws' }),
      bidOf(2, 5, { bidId: 'B', infrastructureType: 'edge_devices' }),
      bidOf(3, 6, { bidId: 'C', infrastructureType: 'cloud_gcp' }),
    ];
    const result = awarded('silver', bids, { ceiling: toMicro('6') });
    expect(payments(result)).toEqual({ A1: '2', B: '6' });
    expect(result.total).toBe('8');
  });

  test('regression: bids 4, 5, 9: 4 wins and is paid 5, never 9', () => {
    expect(payments(awarded('bronze', prices(4, 5, 9)))).toEqual({ 'bid-0': '5' });
  });

  test('bids 0.12, 0.08 and 0.10: 0.08 wins and is paid 0.10', () => {
    const result = awarded('bronze', prices(120_000, 80_000, 100_000), { ceiling: toMicro('500000') });
    expect(payments(result)).toEqual({ 'bid-1': '100000' });
  });

  test('regression: the total is the sum of what the winners are paid, not one clearing price', () => {
    const result = awarded('gold', prices(1, 2, 3, 4, 5));
    expect(payments(result)).toEqual({ 'bid-0': '4', 'bid-1': '4', 'bid-2': '4' });
    expect(result.total).toBe('12');
  });

  test('regression: a single bid is no price; fewer owners than the minimum make no award', () => {
    expect(close('bronze', prices(4))).toMatchObject({ ok: false, code: 'AUCTION_NOT_ENOUGH_BIDS' });
  });

  test('a winner without whom no set exists is paid the ceiling', () => {
    const others = [1, 2, 3].map((index) => bidOf(index, index, { region: 'shared' }));
    const result = awarded('gold', [bidOf(0, 1), bidOf(4, 1), ...others]);
    expect(payments(result)).toEqual({ 'bid-0': '1000', 'bid-1': '2', 'bid-4': '1000' });
  });
});

describe('refusals', () => {
  test.each(TIER_NAMES)('R66, R68: %s wants max(3, k + 1) distinct owners', (tier) => {
    const need = Math.max(3, TIERS[tier].winners + 1);
    const enough = prices(...Array<number>(need).fill(1));
    expect(close(tier, enough).ok).toBe(true);
    const twins = enough.map((bid, index) => (index === 0 ? { ...bid, owner: 'owner-1' } : bid));
    const result = close(tier, twins);
    expect(result).toMatchObject({
      ok: false,
      code: 'AUCTION_NOT_ENOUGH_BIDS',
      message: `bids of distinct owners: have ${need - 1}, need ${need}`,
    });
    expect(result.verdicts.map(({ state }) => state)).toEqual(twins.map(() => 'expired'));
  });

  test('R77: no feasible set names the constraint: have 2, need 3', () => {
    const bids = prices(1, 2, 3, 4).map((bid, index) => ({ ...bid, region: `region-${index % 2}` }));
    expect(close('gold', bids)).toMatchObject({
      ok: false,
      code: 'QUORUM_NOT_ACHIEVED',
      message: 'no set of bids meets gold: distinct-region: have 2, need 3',
      violations: [{ rule: 'distinct-region', have: 2, need: 3 }],
    });
  });

  test('invariant 4: a bid above the ceiling is rejected and counts for nothing', () => {
    const bids = prices(1, 2, 1001);
    const result = close('bronze', bids);
    expect(result).toMatchObject({ ok: false, code: 'AUCTION_NOT_ENOUGH_BIDS' });
    expect(result.verdicts.find(({ bidId }) => bidId === 'bid-2')?.state).toBe('rejected');
    expect(payments(awarded('bronze', [...bids, bidOf(3, 1000)]))).toEqual({ 'bid-0': '2' });
  });
});

describe('newcomers (settled 16)', () => {
  const newcomer = (bid: OpenedBid): OpenedBid => ({ ...bid, newcomer: true });
  const established = prices(10, 11, 12);
  const cheap = newcomer(bidOf(3, 1));

  test('stay out while the others alone make an award, and are told so', () => {
    const result = awarded('bronze', [...established, cheap], { newcomerShare: 0 });
    expect(payments(result)).toEqual({ 'bid-0': '11' });
    expect(result.verdicts[3]).toMatchObject({
      state: 'lost',
      reason: expect.stringContaining('probation share'),
    });
  });

  test('compete in the probation share of auctions', () => {
    const share = 0.05;
    const rounds = 4000;
    let won = 0;
    for (let round = 0; round < rounds; round++) {
      if (
        wins(
          close('bronze', [...established, cheap], { seed: `${round}`, newcomerShare: share }),
          cheap.bidId,
        )
      )
        won++;
    }
    const error = Math.sqrt(share * (1 - share) * rounds);
    expect(Math.abs(won - share * rounds)).toBeLessThan(4 * error);
  });

  test('compete where the others are too few or make no feasible set', () => {
    const change = { newcomerShare: 0 };
    expect(wins(close('bronze', [...established.slice(0, 2), cheap], change), cheap.bidId)).toBe(true);
    const oneRegion = prices(10, 11, 12, 13).map((bid) => ({
      ...bid,
      region: bid.bidId === 'bid-0' ? 'a' : 'b',
    }));
    expect(wins(close('gold', [...oneRegion, newcomer(bidOf(4, 1))], change), 'bid-4')).toBe(true);
  });

  test('whether they compete does not depend on any price', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 4, maxLength: 4 }),
        fc.nat(),
        (values, lot) => {
          const bids = prices(...values).map((bid, index) => (index === 3 ? newcomer(bid) : bid));
          const kept = (each: readonly OpenedBid[]) =>
            close('bronze', each, { seed: `${lot}` }).verdicts.some(({ reason }) =>
              reason.includes('probation'),
            );
          const flat = bids.map((bid) => ({ ...bid, price: toMicro('0') }));
          // A newcomer that wins at price 0 competes; one kept out is kept out at every price.
          expect(kept(bids)).toBe(kept(flat));
        },
      ),
    );
  });
});

describe('risk', () => {
  const risky = (price: number, index: number, surcharge: number): OpenedBid =>
    bidOf(index, price, { surcharge: toMicro(BigInt(surcharge)), newcomer: true });

  test('counts like price where sets are compared, and is paid to nobody', () => {
    const result = awarded('bronze', [risky(4, 0, 10), risky(9, 1, 0), risky(10, 2, 1)]);
    expect(payments(result)).toEqual({ 'bid-1': '11' });
    expect(result.total).toBe('11');
    // Who is risky may still win, and is paid what it could have asked.
    expect(payments(awarded('bronze', [risky(4, 0, 10), risky(20, 1, 0), risky(20, 2, 0)]))).toEqual({
      'bid-0': '10',
    });
  });

  test('never makes a payment exceed the ceiling', () => {
    const bids = [risky(4, 0, 0), risky(1, 1, 5000), risky(1, 2, 5000)];
    expect(payments(awarded('bronze', bids))).toEqual({ 'bid-0': '1000' });
  });

  test('is priced instead of limited: newcomers with a surcharge compete in every auction', () => {
    const bids = [...prices(10, 11, 12), risky(1, 3, 8)];
    expect(payments(awarded('bronze', bids, { newcomerShare: 0 }))).toEqual({ 'bid-3': '2' });
  });
});

describe('invariants on random markets', () => {
  const market = fc
    .record({ number: fc.nat(), bids: fc.integer({ min: 3, max: 10 }), tier: fc.constantFrom(...TIER_NAMES) })
    .map(({ number, bids, tier }) => ({
      tier,
      bids: marketOf(generator(number), {
        bids,
        asns: 9,
        regions: 9,
        unavailability: [0.001, 0.02],
        highestPrice: number % 2 === 0 ? 5 : 1100,
        ...(number % 4 < 2 ? {} : { highestSurcharge: number % 4 === 2 ? 5 : 2000 }),
      }),
    }));
  const change = (bids: readonly OpenedBid[], bidId: string, price: bigint): OpenedBid[] =>
    bids.map((bid) => (bid.bidId === bidId ? { ...bid, price: toMicro(price) } : bid));

  test('2: every bid ends in exactly one terminal state, winners in `won`', () => {
    fc.assert(
      fc.property(market, ({ tier, bids }) => {
        const result = close(tier, bids);
        expect(result.verdicts.map(({ bidId }) => bidId).toSorted()).toEqual(
          bids.map(({ bidId }) => bidId).toSorted(),
        );
        const won = result.verdicts.filter(({ state }) => state === 'won').map(({ bidId }) => bidId);
        expect(won).toEqual(result.ok ? result.winners.map(({ bidId }) => bidId) : []);
      }),
    );
  });

  test('5: own bid ≤ payment ≤ ceiling, and the payment is the critical value to the micro-unit', () => {
    fc.assert(
      fc.property(market, ({ tier, bids }) => {
        const result = close(tier, bids);
        if (!result.ok) return;
        expect(units(result.total)).toBe(
          result.winners.reduce((sum, { payment }) => sum + units(payment), 0n),
        );
        for (const { bidId, price, payment } of result.winners) {
          expect(units(payment) >= units(price) && units(payment) <= units(ceiling)).toBe(true);
          if (units(payment) > 0n)
            expect(wins(close(tier, change(bids, bidId, units(payment) - 1n)), bidId)).toBe(true);
          expect(wins(close(tier, change(bids, bidId, units(payment) + 1n)), bidId)).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('7: a lower winning bid still wins and is paid the same', () => {
    fc.assert(
      fc.property(market, fc.double({ min: 0, max: 1, noNaN: true }), ({ tier, bids }, share) => {
        const result = close(tier, bids);
        if (!result.ok) return;
        for (const { bidId, price, payment } of result.winners) {
          const lower = awarded(tier, change(bids, bidId, BigInt(Math.floor(Number(price) * share))));
          expect(payments(lower)[bidId]).toBe(payment);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('7: one more losing bid never raises a payment', () => {
    fc.assert(
      fc.property(market, ({ tier, bids }) => {
        const [last, ...others] = bids.toReversed() as [OpenedBid, ...OpenedBid[]];
        const types = (each: readonly OpenedBid[]): number =>
          new Set(each.map((bid) => bid.infrastructureType)).size;
        // A new type on offer may switch a platinum rule on; then it is another auction.
        if (types(bids) !== types(others)) return;
        const [before, after] = [close(tier, others), close(tier, bids)];
        if (!before.ok || !after.ok || wins(after, last.bidId)) return;
        for (const [bidId, payment] of Object.entries(payments(after))) {
          expect(units(toMicro(payment)) <= units(toMicro(payments(before)[bidId] ?? ''))).toBe(true);
        }
      }),
    );
  });

  test('8: the result does not depend on the order of the bids, to the byte', () => {
    fc.assert(
      fc.property(
        market.chain(({ tier, bids }) =>
          fc.record({
            tier: fc.constant(tier),
            bids: fc.constant(bids),
            shuffled: fc.shuffledSubarray(bids, { minLength: bids.length }),
          }),
        ),
        ({ tier, bids, shuffled }) => {
          expect(JSON.stringify(close(tier, shuffled))).toBe(JSON.stringify(close(tier, bids)));
        },
      ),
    );
  });

  test('14: fewer distinct owners than the minimum never make an award', () => {
    fc.assert(
      fc.property(market, ({ tier, bids }) => {
        const few = bids.map((bid, index) => ({
          ...bid,
          owner: `owner-${index % (TIERS[tier].minimumOwners - 1)}`,
        }));
        expect(close(tier, few)).toMatchObject({ ok: false, code: 'AUCTION_NOT_ENOUGH_BIDS' });
      }),
    );
  });
});

describe('9: ties', () => {
  /** Σ (observed − expected)² ÷ expected over equally likely cells. */
  const chiSquare = (counts: readonly number[]): number => {
    const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  };

  test.each([
    ['bronze', 4, 16.27],
    ['gold', 6, 20.52],
  ] as const)('%s: equal bids win equally often over the seeds (χ² at 0.001)', (tier, bidders, limit) => {
    const bids = prices(...Array<number>(bidders).fill(7));
    const counts = Array<number>(bidders).fill(0);
    for (let lot = 0; lot < 3000; lot++) {
      for (const { bidId } of awarded(tier, bids, { seed: `${lot}` }).winners) {
        const index = Number(bidId.slice('bid-'.length));
        counts[index] = (counts[index] ?? 0) + 1;
      }
    }
    expect(chiSquare(counts)).toBeLessThan(limit);
  });
});
