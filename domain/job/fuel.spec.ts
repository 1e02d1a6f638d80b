import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fuelLimitOf } from './fuel.ts';

test('settled 44: fuel follows from the declared work', () => {
  expect(fuelLimitOf({ requiredTops: 500, utilization: 0.8, durationSeconds: 60 })).toBe(24_000_000_000);
  expect(fuelLimitOf({ requiredTops: 1e-9, utilization: 0.1, durationSeconds: 1 })).toBe(1);
});

test('it is a whole number that JSON carries, and never less for more work', () => {
  const positive = fc.double({ min: 1e-6, max: 1e7, noNaN: true });
  fc.assert(
    fc.property(
      positive,
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      positive,
      (tops, utilization, seconds) => {
        const fuel = fuelLimitOf({ requiredTops: tops, utilization, durationSeconds: seconds });
        expect(Number.isSafeInteger(fuel) && fuel >= 1).toBe(true);
        const more = fuelLimitOf({ requiredTops: tops * 2, utilization, durationSeconds: seconds });
        expect(more).toBeGreaterThanOrEqual(fuel);
      },
    ),
  );
});
