import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toMicro, units } from '../money.ts';
import { fuelLimitOf } from './fuel.ts';
import { meteredPayment } from './metered-payment.ts';

/** 4,000,000,000 units of fuel. */
const JOB = { requiredTops: 50, utilization: 0.8, durationSeconds: 100 };
const LIMIT = fuelLimitOf(JOB);

describe('settled 45: a member is owed the share of its price that its run used', () => {
  test.each([
    ['all of the work', LIMIT, '1000'],
    ['half of it', LIMIT / 2, '500'],
    ['a third of it, rounded up', Math.floor(LIMIT / 3), '334'],
    ['5 % of it', LIMIT / 20, '50'],
    ['next to nothing: its place was held', 1, '50'],
    ['nothing at all', 0, '50'],
    ['unknown, before metering', undefined, '1000'],
  ])('%s', (_, fuelUsed, owed) => {
    expect(meteredPayment(toMicro('1000'), JOB, fuelUsed)).toBe(owed);
  });

  test('never more than the price, never less than 5 % of it, and no less for more work', () => {
    const price = fc.bigInt({ min: 0n, max: 10n ** 15n });
    const fuel = fc.nat({ max: LIMIT });
    fc.assert(
      fc.property(price, fuel, fuel, (amount, one, other) => {
        const owed = (fuelUsed: number) => units(meteredPayment(toMicro(amount), JOB, fuelUsed));
        const [less, more] = one < other ? [owed(one), owed(other)] : [owed(other), owed(one)];
        expect(less <= more && more <= amount && less * 20n >= amount).toBe(true);
      }),
    );
  });
});
