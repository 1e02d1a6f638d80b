import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Rational, toFixed } from '../rational.ts';
import { askableCeiling, reservationOf } from './asking.ts';
import { dominantShare, hoursOf } from './h200.ts';
import { priceQuote } from './pricing.ts';

const decimal = (value: Rational): string => toFixed(value, 9);

test('the larger share of an H200 counts: of its TOPS, or of its 141 GB', () => {
  expect(decimal(dominantShare({ requiredTops: 900, memoryMb: 256 }))).toBe('1.000000000');
  expect(decimal(dominantShare({ requiredTops: 1 }))).toBe('0.001111111');
  // 4 GiB are 4,294,967,296 bytes.
  expect(decimal(dominantShare({ requiredTops: 1, memoryMb: 4096 }))).toBe('0.030460761');
  expect(decimal(dominantShare({ requiredTops: 27.4, memoryMb: 4096 }))).toBe('0.030460761');
  expect(decimal(dominantShare({ requiredTops: 27.5, memoryMb: 4096 }))).toBe('0.030555556');
});

test('memory is taken all the time, however little the TOPS are used, and of an H200 of any TOPS', () => {
  const shape = { requiredTops: 100, memoryMb: 4096 };
  expect(decimal(dominantShare(shape, 900, 0.5))).toBe('0.055555556');
  expect(decimal(dominantShare(shape, 900, 0))).toBe('0.030460761');
  expect(decimal(dominantShare(shape, 1_000_000))).toBe('0.030460761');
});

const quoted = (requiredTops: number, memoryMb?: number, durationSeconds = 3600) =>
  ({
    tier: 'gold',
    requiredTops,
    utilization: 1,
    durationSeconds,
    ...(memoryMb === undefined ? {} : { memoryMb }),
  }) as const;

test('a quote is priced by it, and the cheapest job cannot have all memory for the price of one TOPS', () => {
  const price = (memoryMb?: number) => priceQuote(quoted(1, memoryMb));
  expect(price()).toMatchObject({ value: { h200Hours: '0.001111', ceiling: '1111' } });
  expect(price(64)).toMatchObject({ value: { ceiling: '1111' } });
  expect(price(4096)).toMatchObject({
    value: { h200Hours: '0.030461', ceiling: '30461', maximumTotal: '91383' },
  });
  for (const memoryMb of [0, 4097, 1.5, -1, Number.NaN])
    expect(price(memoryMb)).toMatchObject({ code: 'INVALID_REQUEST', errors: [{ field: 'memory_mb' }] });
});

test('the least ceiling and the rent of an award follow from it where an H200 has few TOPS for its memory', () => {
  const [small, large] = [quoted(1, 64, 1), quoted(1, 4096, 1)];
  const exact = (inputs: typeof small) => {
    const priced = priceQuote(inputs, 100_000);
    if (!priced.ok) throw new Error(priced.message);
    return askableCeiling(priced.value.ceiling, inputs, 100_000);
  };
  expect(exact(small)).toBe('100');
  expect(exact(large)).toBe('254');
  const rent = (memoryMb: number) => reservationOf({ requiredTops: 1, tRef: 100_000, memoryMb }).hourly;
  expect([rent(64), rent(4096)]).toEqual(['10000', '30461']);
});

test('no shape costs less for asking more, and none whose TOPS are the larger share costs more than before', () => {
  const tops = fc.double({ min: 0.001, max: 5000, noNaN: true });
  const memory = fc.integer({ min: 1, max: 4096 });
  fc.assert(
    fc.property(tops, memory, memory, fc.constantFrom(0.37, 900, 1e6), (requiredTops, a, b, tRef) => {
      const hours = (memoryMb?: number) => {
        const { numerator, denominator } = hoursOf(dominantShare({ requiredTops, memoryMb }, tRef), 60);
        return Number(numerator) / Number(denominator);
      };
      const [less, more] = [Math.min(a, b), Math.max(a, b)];
      expect(hours(less)).toBeLessThanOrEqual(hours(more));
      const share = (more * 1_048_576) / 141e9;
      if (requiredTops / tRef > share * (1 + 1e-9)) expect(hours(more)).toBe(hours());
    }),
  );
});
