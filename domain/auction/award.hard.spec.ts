import { describe, expect, test } from 'vitest';
import { toMicro, units } from '../money.ts';
import { availability } from '../quorum/availability.ts';
import { checkSet, memberOf, offeredTypesOf } from '../quorum/feasibility.ts';
import { effortOf } from '../quorum/search/effort.ts';
import { SOLVE_STEPS } from '../quorum/solve.ts';
import { TIER_NAMES, TIERS, type TierName, TYPE_UNAVAILABILITY } from '../tiers.ts';
import { type Award, award } from './award.ts';
import type { OpenedBid } from './events.ts';
import { beyondExact, HARD_MARKETS, type HardMarket } from './hard-markets.fixture.ts';
import { generator, marketOf, setsOf } from './market.fixture.ts';

const ceiling = toMicro('9'.repeat(26));
const seed = 'ab'.repeat(32);

const close = (tier: TierName, bids: readonly OpenedBid[], steps = SOLVE_STEPS) => {
  const effort = effortOf(steps);
  const result = award({ tier, ceiling, bids, typeUnavailability: TYPE_UNAVAILABILITY, seed, effort });
  return { result, spent: effort.spent() };
};

const costOf = (bids: readonly OpenedBid[]): bigint =>
  bids.reduce((sum, { price }) => sum + units(price), 0n);

describe('1,000 bids for platinum: within the steps of one award, and exact', () => {
  test.each(Object.entries(HARD_MARKETS))('%s', (_name, market: HardMarket) => {
    const { result, spent } = close('platinum', market(1000, 7));
    expect(spent).toBeLessThan(SOLVE_STEPS);
    if (result.ok) expect(result.solution).toEqual({ method: 'exact' });
    else expect(result.code).toBe('QUORUM_NOT_ACHIEVED');
  });

  test('one beyond its steps ends all the same, with a set within a fifth of what is proven', () => {
    const { result, spent } = close('platinum', beyondExact(1000, 58));
    // A question under way is answered to its next look at the effort.
    expect(spent).toBeLessThan(1.1 * SOLVE_STEPS);
    if (!result.ok || result.solution.method !== 'best-found') throw new Error(JSON.stringify(result));
    const [cost, atLeast] = [costOf(result.winners), units(result.solution.atLeast)];
    expect(cost).toBeGreaterThanOrEqual(atLeast);
    expect(Number(cost) / Number(atLeast)).toBeLessThan(1.2);
  });

  test('without a set the constraint is named as in a small market', () => {
    const message = (name: string): string => {
      const market = HARD_MARKETS[name] as HardMarket;
      const { result } = close('platinum', market(1000, 7));
      return result.ok ? '' : result.message;
    };
    expect(message('four regions')).toBe('no set of bids meets platinum: distinct-region: have 4, need 5');
    expect(message('one reliable region')).toContain('availability: have 0.99');
  });
});

describe('R77: award and payments equal those of trying every set, up to 14 bids', () => {
  /** Cheapest total of all sets without `owner`. */
  const leastTotal = (tier: TierName, bids: readonly OpenedBid[], owner: string | null): bigint | null => {
    let least: bigint | null = null;
    for (const set of setsOf(bids, TIERS[tier].winners)) {
      const cost = costOf(set);
      if ((least !== null && cost >= least) || set.some((bid) => bid.owner === owner)) continue;
      const check = checkSet({
        tier,
        members: set.map(memberOf),
        typeUnavailability: TYPE_UNAVAILABILITY,
        offeredTypes: offeredTypesOf(bids),
      });
      if (check.meetsTier) least = cost;
    }
    return least;
  };

  test.each(TIER_NAMES)('%s', (tier) => {
    const random = generator(14);
    let [awarded, none] = [0, 0];
    for (let market = 0; market < 80; market++) {
      const bids = marketOf(random, {
        bids: 6 + Math.floor(random() * 9),
        asns: market % 2 === 0 ? 6 : 40,
        regions: market % 3 === 0 ? 5 : 12,
        unavailability: [0.001, [0.01, 0.06, 0.3, 1][market % 4] as number],
        highestPrice: market % 5 === 0 ? 4 : 1_000_000,
        premium: random(),
      }).map((bid) => ({
        ...bid,
        owner: `owner-${Math.floor(random() * 20)}`,
        // No room for lots, or for the price itself, in a double.
        price: toMicro(`${bid.price}${'7'.repeat([0, 0, 10, 18][market % 4] as number)}`),
      }));
      const { result } = close(tier, bids);
      const least = leastTotal(tier, bids, null);
      if (!result.ok) {
        none++;
        if (result.code === 'QUORUM_NOT_ACHIEVED') expect(least).toBe(null);
        continue;
      }
      awarded++;
      expect(costOf(result.winners)).toBe(least);
      for (const { owner, price, payment } of result.winners) {
        const without = leastTotal(tier, bids, owner);
        const critical = without === null ? units(ceiling) : without - (least as bigint) + units(price);
        expect(units(payment)).toBe(critical);
      }
    }
    expect(awarded).toBeGreaterThan(10);
    if (tier !== 'bronze') expect(none).toBeGreaterThan(0);
  });
});

describe('when the effort ends first, the best found is awarded and says so', () => {
  const market = HARD_MARKETS['price is reliability'] as HardMarket;
  const bids = market(300, 3);
  const exact = close('platinum', bids).result as Award;
  const efforts = [0, 20_000, 100_000, 300_000, 1_000_000, 3_000_000];

  test.each(efforts)('%d steps: a feasible set, its bound, payments between own bid and ceiling', (steps) => {
    const { result } = close('platinum', bids, steps);
    if (!result.ok) throw new Error(result.message);
    const { solution, winners } = result;
    expect(costOf(winners)).toBeGreaterThanOrEqual(costOf(exact.winners));
    expect(result.predictedAvailability).toBe(
      availability(winners, TIERS.platinum.requiredUp, TYPE_UNAVAILABILITY),
    );
    const members = winners.map(memberOf);
    expect(
      checkSet({ tier: 'platinum', members, typeUnavailability: TYPE_UNAVAILABILITY, offeredTypes: 6 }),
    ).toMatchObject({ meetsTier: true });
    for (const { price, payment } of winners) {
      expect(units(payment)).toBeGreaterThanOrEqual(units(price));
      expect(units(payment)).toBeLessThanOrEqual(units(ceiling));
    }
    expect(solution.method).toBe('best-found');
    if (solution.method !== 'best-found') return;
    expect(units(solution.atLeast)).toBeLessThanOrEqual(costOf(exact.winners));
  });

  test('more effort proves more, until it is exact', () => {
    const bounds = efforts.map((steps) => {
      const { result } = close('platinum', bids, steps);
      return result.ok && result.solution.method === 'best-found' ? units(result.solution.atLeast) : 0n;
    });
    expect(bounds).toEqual(bounds.toSorted((a, b) => Number(a - b)));
    expect(bounds.at(-1)).toBeGreaterThan(bounds[0] as bigint);
    expect(exact.solution).toEqual({ method: 'exact' });
  });

  test('invariant 8: the same to the byte in any order of the bids', () => {
    for (const steps of efforts) {
      const [forth, back] = [bids, bids.toReversed()].map((each) => close('platinum', each, steps).result);
      expect(JSON.stringify(back)).toBe(JSON.stringify(forth));
    }
  });

  test('a market without a set says what is missing, not that nothing is', () => {
    const { result } = close('platinum', (HARD_MARKETS['one reliable region'] as HardMarket)(300, 3), 1000);
    expect(result).toMatchObject({ ok: false, code: 'QUORUM_NOT_ACHIEVED' });
  });
});
