import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { askingPrice } from '../mesh/bid-policy.ts';
import { toMicro, units } from '../money.ts';
import { TIER_NAMES } from '../tiers.ts';
import { askableCeiling, MINIMUM_CEILING } from './asking.ts';
import { priceQuote } from './pricing.ts';

const ceilingOf = (
  tier: (typeof TIER_NAMES)[number],
  requiredTops: number,
  utilization: number,
  durationSeconds: number,
): string => {
  const price = priceQuote({ tier, requiredTops, utilization, durationSeconds });
  if (!price.ok) throw new Error(price.message);
  return askableCeiling(price.value.ceiling, { tier, requiredTops });
};

describe('settled 41: what an order is asked with at least', () => {
  test('the price of its work, and of the capacity that it books for 30 seconds where that is more', () => {
    expect(ceilingOf('gold', 6000, 0.8, 60)).toBe('88889');
    expect(ceilingOf('gold', 6000, 0.8, 1)).toBe('55556');
    expect(ceilingOf('bronze', 6000, 0, 3600)).toBe('27778');
  });

  test('a place however little of it is used, and never less than 100', () => {
    expect(ceilingOf('bronze', 1, 1, 1)).toBe('4630');
    expect(askableCeiling(toMicro('1'), { tier: 'bronze', requiredTops: 1 }, 1e9)).toBe(MINIMUM_CEILING);
  });

  test('nodes that ask no more than the list price bid on whatever is quoted, if a place of theirs is no more than one', () => {
    const inputs = fc.record({
      tier: fc.constantFrom(...TIER_NAMES),
      requiredTops: fc.integer({ min: 1, max: 8000 }),
      utilization: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
      durationSeconds: fc.integer({ min: 1, max: 86_400 }),
    });
    const policy = { pricePerH200Hour: toMicro('499999'), floor: toMicro('1'), margin: 0, maxConcurrent: 8 };
    fc.assert(
      fc.property(inputs, (job) => {
        const ceiling = ceilingOf(job.tier, job.requiredTops, job.utilization, job.durationSeconds);
        // Prices are rounded up, and quotes to the nearest.
        expect(units(askingPrice(policy, job, 1000))).toBeLessThanOrEqual(BigInt(ceiling) + 1n);
      }),
      { numRuns: 1000 },
    );
  });
});
