import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OpenedBid } from '../auction/events.ts';
import { bidOf, generator, type MarketShape, marketOf, setsOf } from '../auction/market.fixture.ts';
import { units, ZERO } from '../money.ts';
import { MEMBER_UNAVAILABILITY, TIER_NAMES, TIERS, type TierName, TYPE_UNAVAILABILITY } from '../tiers.ts';
import { availability } from './availability.ts';
import { checkSet, memberOf, offeredTypesOf } from './feasibility.ts';
import { cheapestSet, type Market, solveEffort } from './solve.ts';

const typeUnavailability = TYPE_UNAVAILABILITY;
const seed = 'ab'.repeat(32);

const totalOf = (bids: readonly OpenedBid[]): bigint =>
  bids.reduce((sum, { price, surcharge = ZERO }) => sum + units(price) + units(surcharge), 0n);

const isFeasible = (tier: TierName, set: readonly OpenedBid[], candidates: readonly OpenedBid[]): boolean =>
  checkSet({ tier, members: set.map(memberOf), typeUnavailability, offeredTypes: offeredTypesOf(candidates) })
    .meetsTier;

/** The least total by trying every set. */
const bruteForce = (tier: TierName, candidates: readonly OpenedBid[]): bigint | null => {
  let least: bigint | null = null;
  for (const set of setsOf(candidates, TIERS[tier].winners)) {
    const total = totalOf(set);
    if ((least === null || total < least) && isFeasible(tier, set, candidates)) least = total;
  }
  return least;
};

const solve = (tier: TierName, candidates: readonly OpenedBid[], change: Partial<Market> = {}) =>
  cheapestSet({ tier, candidates, typeUnavailability, seed, ...change }, solveEffort());

const bought = (tier: TierName, candidates: readonly OpenedBid[], change: Partial<Market> = {}) => {
  const result = solve(tier, candidates, change);
  if (!result.ok) throw new Error(JSON.stringify(result.violations));
  return result;
};

describe('quorum.exact.vs.greedy', () => {
  test.each([
    ['by price alone', undefined],
    ['by price and risk', 500_000],
  ])('R77: exact equals brute force on 200 random markets, %s', (_, highestSurcharge) => {
    const random = generator(3);
    let feasible = 0;
    for (let market = 0; market < 200; market++) {
      const tier = TIER_NAMES[market % TIER_NAMES.length] as TierName;
      const candidates = marketOf(random, {
        bids: 6 + Math.floor(random() * 9),
        asns: 10,
        regions: 8,
        unavailability: [0.001, 0.06],
        highestPrice: market % 3 === 0 ? 4 : 1_000_000,
        premium: random(),
        ...(highestSurcharge === undefined ? {} : { highestSurcharge }),
      });
      const least = bruteForce(tier, candidates);
      const result = solve(tier, candidates);
      expect(result.ok ? totalOf(result.members) : null).toBe(least);
      if (!result.ok) continue;
      feasible++;
      expect(isFeasible(tier, result.members, candidates)).toBe(true);
      expect(units(result.total)).toBe(least);
    }
    // Both answers must have been tried.
    expect(feasible).toBeGreaterThan(100);
    expect(feasible).toBeLessThan(200);
  });

  test('120 feasible markets of 14 candidates: greedy by price misses the target, greedy by availability overpays', () => {
    const random = generator(120);
    const shape: MarketShape = {
      bids: 14,
      asns: 1_000_000,
      regions: 1_000_000,
      unavailability: [0.002, 0.03],
      highestPrice: 1_000_000,
      premium: 0.3,
    };
    const { winners: size, requiredUp, availability: target } = TIERS.platinum;
    const reaches = (set: readonly OpenedBid[]): boolean =>
      set.length === size && availability(set, requiredUp, typeUnavailability) >= target;
    const greedy = (
      candidates: readonly OpenedBid[],
      cap: number,
      better: (a: OpenedBid, b: OpenedBid) => number,
    ) =>
      candidates.toSorted(better).reduce<OpenedBid[]>((set, bid) => {
        const same = set.filter((each) => each.infrastructureType === bid.infrastructureType).length;
        return set.length < size && same < cap ? [...set, bid] : set;
      }, []);
    const byPrice = (a: OpenedBid, b: OpenedBid): number => Number(units(a.price) - units(b.price));
    const downtime = (bid: OpenedBid): number =>
      1 - (1 - bid.unavailability) * (1 - TYPE_UNAVAILABILITY[bid.infrastructureType]);
    const byAvailability = (a: OpenedBid, b: OpenedBid): number => downtime(a) - downtime(b);

    const met = { price: 0, capped: 0, available: 0, exact: 0 };
    const cost = { available: 0n, exact: 0n };
    for (let markets = 0; markets < 120; ) {
      const candidates = marketOf(random, shape);
      const exact = solve('platinum', candidates);
      const available = greedy(candidates, 2, byAvailability);
      if (!exact.ok || !isFeasible('platinum', available, candidates)) continue;
      markets++;
      if (reaches(greedy(candidates, size, byPrice))) met.price++;
      if (reaches(greedy(candidates, 2, byPrice))) met.capped++;
      if (reaches(available)) met.available++;
      if (reaches(exact.members)) met.exact++;
      cost.available += totalOf(available);
      cost.exact += units(exact.total);
    }
    expect(met).toEqual({ price: 22, capped: 23, available: 120, exact: 120 });
    expect(Number(cost.available) / Number(cost.exact)).toBeGreaterThan(1.35);
  });
});

describe('the optimum', () => {
  const shape: MarketShape = {
    bids: 12,
    asns: 12,
    regions: 10,
    unavailability: [0.001, 0.02],
    highestPrice: 3,
  };

  test('is the same for any order of the candidates, ties included', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...TIER_NAMES), (number, tier) => {
        const candidates = marketOf(generator(number), shape);
        const [forth, back] = [candidates, candidates.toReversed()].map((each) => solve(tier, each));
        expect(back).toEqual(forth);
      }),
    );
  });

  test('among equal prices the lot decides, not index or arrival', () => {
    const candidates = Array.from({ length: 6 }, (_, index) => bidOf(index, 10));
    const winners = new Set(
      Array.from(
        { length: 40 },
        (_, lot) => bought('bronze', candidates, { seed: `${lot}` }).members[0]?.bidId,
      ),
    );
    expect(winners.size).toBe(6);
  });

  test('bars owners and keeps fixed members, whose failure domains are taken', () => {
    const candidates = [1, 2, 3, 4].map((index) => bidOf(index, index));
    const fixed = [bidOf(0, 1), bidOf(5, 1, { region: 'region-1' })];
    expect(bought('gold', candidates, { fixed }).members.map(({ bidId }) => bidId)).toEqual(['bid-2']);
    const barred = bought('gold', candidates, { fixed, barredOwners: ['owner-2'] });
    expect(barred.members.map(({ bidId }) => bidId)).toEqual(['bid-3']);
  });

  test('a barred owner still counts among the types on offer', () => {
    // Five types on offer, so four are wanted; without the barred one only three can be had.
    const types = [
      'cloud_aws',
      'cloud_aws',
      'cloud_gcp',
      'cloud_gcp',
      'cloud_azure',
      'private_datacenters',
    ] as const;
    const few = types.map((infrastructureType, index) => bidOf(index, 10, { infrastructureType }));
    const candidates = [...few, bidOf(6, 10, { infrastructureType: 'edge_devices' })];
    expect(solve('platinum', candidates, { barredOwners: ['owner-5', 'owner-6'] })).toMatchObject({
      ok: false,
    });
    expect(solve('platinum', few.slice(0, 5))).toMatchObject({ ok: true });
  });
});

describe('without a feasible set the failed constraint is named', () => {
  const facts = (tier: TierName, candidates: readonly OpenedBid[], change: Partial<Market> = {}) => {
    const result = solve(tier, candidates, change);
    return result.ok ? [] : result.violations.map(({ rule, have, need }) => ({ rule, have, need }));
  };
  const three = (change: Partial<OpenedBid>): OpenedBid[] => [
    bidOf(0, 1, change),
    bidOf(1, 1, change),
    bidOf(2, 1),
  ];

  test('too few candidates', () => {
    expect(facts('gold', [bidOf(0, 1), bidOf(1, 1)])).toContainEqual({
      rule: 'member-count',
      have: 2,
      need: 3,
    });
    expect(facts('silver', [])).toContainEqual({ rule: 'member-count', have: 0, need: 2 });
  });

  test.each([
    ['distinct-owner', { owner: 'same' }],
    ['distinct-asn', { asn: 7 }],
    ['distinct-region', { region: 'same' }],
    ['max-per-type', { infrastructureType: 'cloud_aws' }],
  ] as const)('%s: have 2, need 3', (rule, change) => {
    expect(facts('gold', three(change))).toEqual([{ rule, have: 2, need: 3 }]);
  });

  test('availability: the best that could be had', () => {
    const candidates = [0.05, 0.02, 0.03, 0.04].map((unavailability, index) =>
      bidOf(index, 1, { unavailability }),
    );
    const sets = [...setsOf(candidates, 3)].map((set) => availability(set, 2, typeUnavailability));
    expect(facts('gold', candidates)).toEqual([
      { rule: 'availability', have: Math.max(...sets), need: 0.999 },
    ]);
  });

  test('rules that only fail together', () => {
    // Three networks and three regions, but every region-1 member shares its network with all of region-2.
    const candidates = [
      bidOf(0, 1, { asn: 1, region: 'a' }),
      bidOf(1, 1, { asn: 2, region: 'a' }),
      bidOf(2, 1, { asn: 3, region: 'b' }),
      bidOf(3, 1, { asn: 3, region: 'c' }),
    ];
    expect(facts('gold', candidates)).toEqual([
      { rule: 'distinct-asn', have: 2, need: 3 },
      { rule: 'distinct-region', have: 2, need: 3 },
    ]);
  });

  test('members kept that break a rule among themselves', () => {
    const fixed = [bidOf(0, 1, { region: 'x' }), bidOf(1, 1, { region: 'x' })];
    expect(facts('gold', [bidOf(2, 1)], { fixed })).toEqual([{ rule: 'distinct-region', have: 1, need: 2 }]);
  });

  test('the best availability is true on random markets', () => {
    const random = generator(77);
    let seen = 0;
    for (let market = 0; market < 60; market++) {
      const candidates = marketOf(random, {
        bids: 9,
        asns: 12,
        regions: 12,
        unavailability: [0.02, 0.2],
        highestPrice: 100,
      });
      const [fact] = facts('gold', candidates);
      if (fact?.rule !== 'availability') continue;
      seen++;
      const best = [...setsOf(candidates, 3)]
        .map((set) => checkSet({ tier: 'gold', members: set.map(memberOf), typeUnavailability }))
        .filter(({ violations }) => violations.every(({ rule }) => rule === 'availability'))
        .reduce((most, { predictedAvailability }) => Math.max(most, predictedAvailability), 0);
      expect(fact.have).toBe(best);
    }
    expect(seen).toBeGreaterThan(20);
  });
});

describe('effort for 100 bids and platinum, in boxes bounded', () => {
  const explored = (shape: Omit<MarketShape, 'bids'>, byType = false): number => {
    const random = generator(100);
    return Math.max(
      ...Array.from({ length: 10 }, () => {
        const bids = marketOf(random, { bids: 100, ...shape });
        const typical = bids.map((bid) => ({
          ...bid,
          unavailability: MEMBER_UNAVAILABILITY[bid.infrastructureType],
        }));
        return bought('platinum', byType ? typical : bids).explored;
      }),
    );
  };

  test.each([
    ['prices at random', { asns: 100, regions: 20, unavailability: [0, 0], highestPrice: 1_000_000 }],
    ['all prices equal', { asns: 100, regions: 20, unavailability: [0, 0], highestPrice: 1 }],
    ['few networks and regions', { asns: 6, regions: 6, unavailability: [0, 0], highestPrice: 1_000_000 }],
  ] as const)('%s: fewer than 300', (_, shape) => {
    expect(explored(shape, true)).toBeLessThan(300);
  });

  test('reliability that costs its price, the hardest case: fewer than 3,000 for 75 million sets', () => {
    const shape = {
      asns: 100,
      regions: 100,
      unavailability: [0.001, 0.2],
      highestPrice: 1_000_000,
      premium: 0.9,
    } as const;
    expect(explored(shape)).toBeLessThan(3000);
  });
});
