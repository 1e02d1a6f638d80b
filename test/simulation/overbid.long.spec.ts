import { expect, test } from 'vitest';
import { TIER_NAMES } from '../../domain/tiers.ts';
import { biddersOf, HIGHEST_COSTS, overbidStudy, PROFILES } from './overbid.ts';

const rows = TIER_NAMES.flatMap((tier) =>
  biddersOf(tier).flatMap((bidders) => HIGHEST_COSTS.map((highest) => [tier, bidders, highest] as const)),
);

test.each(rows)(
  'issue 9, row 17: %s with %d bidders and costs up to %d: a lie pays in at most a tenth of the profiles',
  (tier, bidders, highest) => {
    const { overbids, underbids, replaced, profiles } = overbidStudy(tier, bidders, PROFILES, 2, highest);
    expect(overbids / profiles).toBeLessThanOrEqual(0.1);
    expect(underbids / profiles).toBeLessThanOrEqual(0.1);
    expect(replaced).toBeGreaterThan(0);
  },
  600_000,
);

test('the rule before it failed: platinum with the fewest bidders, whose costs are far below the ceiling', () => {
  const [bidders = 0] = biddersOf('platinum');
  const { overbids, profiles } = overbidStudy('platinum', bidders, 20, 1, HIGHEST_COSTS[1]);
  expect(overbids / profiles).toBeGreaterThan(0.3);
}, 600_000);
