import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TIER_NAMES, TIERS, type TierName } from '../tiers.ts';
import { type Price, priceQuote } from './pricing.ts';
import type { QuoteInputs } from './quote.ts';

const gold: QuoteInputs = { tier: 'gold', requiredTops: 500, utilization: 0.8, durationSeconds: 7200 };

const priced = (inputs: Partial<QuoteInputs>, tRef?: number): Price => {
  const result = priceQuote({ ...gold, ...inputs }, tRef);
  if (!result.ok) throw new Error(result.message);
  return result.value;
};

const refusal = (inputs: Partial<Record<keyof QuoteInputs, unknown>>, tRef?: number) => {
  const result = priceQuote({ ...gold, ...inputs } as QuoteInputs, tRef);
  return result.ok ? null : { code: result.code, errors: result.errors };
};

describe('golden values', () => {
  test('R56: 500 TOPS at 0.8 for two hours are 0.888889 H200-hours', () => {
    expect(priced({})).toEqual({
      h200Hours: '0.888889',
      rateMicro: '1000000',
      ceiling: '888889',
      winners: 3,
      maximumTotal: '2666667',
      privacy: 0.8,
    });
  });

  test('R57: the reference throughput is a parameter', () => {
    expect(priced({}, 989).h200Hours).toBe('0.808898');
  });

  test.each([
    [900, 1, 3600, '1.000000'],
    [450, 0.5, 7200, '0.500000'],
    [1979, 0.6, 1800, '0.659667'],
  ])(
    'domain-rules 1.1: %d TOPS × %d × %d s = %s',
    (requiredTops, utilization, durationSeconds, h200Hours) => {
      expect(priced({ requiredTops, utilization, durationSeconds }).h200Hours).toBe(h200Hours);
    },
  );

  test.each([
    ['bronze', '329833'],
    ['silver', '494750'],
    ['gold', '659667'],
    ['platinum', '989500'],
  ] as const)('R59-R62, R67: the %s ceiling of 1979 TOPS × 0.6 × 1800 s is %s', (tier, ceiling) => {
    expect(priced({ tier, requiredTops: 1979, utilization: 0.6, durationSeconds: 1800 }).ceiling).toBe(
      ceiling,
    );
  });
});

describe('R58: rounding', () => {
  test('a half micro-unit goes up, in hours and in money', () => {
    // 900 × 1 × 0.0018 s = 5e-7 hours: half a millionth.
    expect(priced({ requiredTops: 900, utilization: 1, durationSeconds: 0.0018 })).toMatchObject({
      h200Hours: '0.000001',
      ceiling: '1',
    });
    expect(priced({ requiredTops: 900, utilization: 1, durationSeconds: 0.0017999 }).ceiling).toBe('0');
  });

  test('money comes from the exact fraction, not from the displayed hours', () => {
    // 1/3 hour × 1,500,000 = 500,000; the rounded 0.333333 would give 499,999.5.
    expect(
      priced({ tier: 'platinum', requiredTops: 300, utilization: 1, durationSeconds: 3600 }).ceiling,
    ).toBe('500000');
  });

  test('decimals are taken as written: 0.1 is one tenth', () => {
    expect(priced({ requiredTops: 9e20, utilization: 0.1, durationSeconds: 3600 }).ceiling).toBe(
      '100000000000000000000000',
    );
  });

  test('no utilization costs nothing', () => {
    expect(priced({ utilization: 0 })).toMatchObject({
      h200Hours: '0.000000',
      ceiling: '0',
      maximumTotal: '0',
    });
  });
});

describe('refusals name field and rule', () => {
  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('R58: required_tops %d', (requiredTops) => {
    expect(refusal({ requiredTops })).toEqual({
      code: 'INVALID_REQUEST',
      errors: [{ field: 'required_tops', rule: 'must be a finite number above 0' }],
    });
  });

  test.each([1.2, -0.1, Number.NaN])('R58: utilization %d', (utilization) => {
    expect(refusal({ utilization })?.errors).toEqual([
      { field: 'utilization', rule: 'must be a number from 0 to 1' },
    ]);
  });

  test.each([0, -7200, Number.NEGATIVE_INFINITY])('R58: duration_seconds %d', (durationSeconds) => {
    expect(refusal({ durationSeconds })?.errors?.[0]?.field).toBe('duration_seconds');
  });

  test.each(['diamond', 'constructor', ''])('R64: unknown tier %j is a refusal, not a failure', (tier) => {
    expect(refusal({ tier })?.errors).toEqual([
      { field: 'tier', rule: 'must be one of bronze, silver, gold, platinum' },
    ]);
  });

  test('every broken rule is named at once', () => {
    const fields = refusal({ tier: 'x', requiredTops: 0, utilization: 2, durationSeconds: -1 })?.errors?.map(
      (e) => e.field,
    );
    expect(fields).toEqual(['tier', 'required_tops', 'utilization', 'duration_seconds']);
  });
});

describe('properties', () => {
  const tier = fc.constantFrom<TierName>(...TIER_NAMES);
  const tops = fc.integer({ min: 1, max: 100_000 });
  const percent = fc.integer({ min: 0, max: 100 });
  const seconds = fc.integer({ min: 1, max: 10_000_000 });

  test('the ceiling is within half a micro-unit of the exact price', () => {
    fc.assert(
      fc.property(tier, tops, percent, seconds, (name, requiredTops, utilization, durationSeconds) => {
        const { ceiling } = priced({
          tier: name,
          requiredTops,
          utilization: utilization / 100,
          durationSeconds,
        });
        const exact =
          BigInt(requiredTops) *
          BigInt(utilization) *
          BigInt(durationSeconds) *
          BigInt(TIERS[name].rateMicro);
        const unit = 100n * 900n * 3600n;
        const error = 2n * (BigInt(ceiling) * unit - exact);
        expect(error > -unit && error <= unit).toBe(true);
      }),
    );
  });

  test('twice the time costs twice as much, to the rounding', () => {
    fc.assert(
      fc.property(tier, tops, seconds, (name, requiredTops, durationSeconds) => {
        const once = BigInt(priced({ tier: name, requiredTops, durationSeconds }).ceiling);
        const twice = BigInt(
          priced({ tier: name, requiredTops, durationSeconds: 2 * durationSeconds }).ceiling,
        );
        expect(twice - 2n * once >= -1n && twice - 2n * once <= 1n).toBe(true);
      }),
    );
  });
});
