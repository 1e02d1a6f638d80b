import { expect, test } from 'vitest';
import { generator, marketOf, setsOf } from '../../auction/market.fixture.ts';
import { units } from '../../money.ts';
import { TIER_NAMES, TIERS, type TierName, TYPE_UNAVAILABILITY } from '../../tiers.ts';
import { checkSet, memberOf, rulesFor } from '../feasibility.ts';
import { undominated } from './dominance.ts';
import { effortOf } from './effort.ts';
import { poolOf } from './pool.ts';
import type { Candidate } from './problem.ts';

/** The least weight of a set of `rows` that keeps every rule at this target; null without one. */
const leastWeight = (
  tier: TierName,
  pool: ReturnType<typeof poolOf<Candidate>>,
  rows: readonly number[],
  target: number,
): number | null => {
  let least: number | null = null;
  for (const set of setsOf(rows, TIERS[tier].winners)) {
    const weight = set.reduce((sum, row) => sum + (pool.weight[row] as number), 0);
    if (least !== null && weight >= least) continue;
    const members = set.map((row) => pool.candidates[row] as Candidate);
    const { predictedAvailability, violations } = checkSet({
      tier,
      members,
      typeUnavailability: TYPE_UNAVAILABILITY,
      offeredTypes: 0,
    });
    const kept = violations.every(({ rule }) => rule === 'availability');
    if (kept && predictedAvailability >= target) least = weight;
  }
  return least;
};

test.each(TIER_NAMES)(
  '%s: what is left out costs nothing, whatever the target and whoever is barred',
  (tier) => {
    const random = generator(31);
    let [left, out] = [0, 0];
    for (let market = 0; market < 40; market++) {
      const bids = marketOf(random, {
        bids: 13,
        asns: market % 2 === 0 ? 3 : 9,
        regions: market % 3 === 0 ? 3 : 9,
        unavailability: [0.001, 0.2],
        highestPrice: market % 4 === 0 ? 3 : 1000,
        premium: random() / 2,
        // Few types make long lists of rivals.
      }).map((bid, index) => ({
        ...bid,
        infrastructureType: (['cloud_aws', 'cloud_gcp', 'edge_devices'] as const)[index % 3] ?? 'cloud_aws',
        owner: `owner-${Math.floor(random() * 9)}`,
      }));
      const barred = market % 5 === 0 ? `owner-${market % 9}` : null;
      const candidates = bids
        .filter(({ owner }) => owner !== barred)
        .map((bid) => ({ ...memberOf(bid), amount: units(bid.price), lot: random() }));
      const members = TIERS[tier].winners;
      const pool = poolOf<Candidate>(rulesFor({ tier }), [], candidates, members);
      const all = [...pool.candidates.keys()];
      const kept = [...pool.ofType.values()].flatMap((rows) => [
        ...undominated(pool, rows, members, effortOf(0)),
      ]);
      left += kept.length;
      out += all.length - kept.length;
      for (const target of [0, 0.99, 0.999]) {
        expect(leastWeight(tier, pool, kept, target)).toBe(leastWeight(tier, pool, all, target));
      }
    }
    expect(left).toBeGreaterThan(0);
    if (tier !== 'platinum') expect(out).toBeGreaterThan(0);
  },
);
