import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toMicro, units } from '../money.ts';
import { settle } from './payouts.ts';

const winnersOf = (payments: readonly (bigint | number)[]) =>
  payments.map((payment, index) => ({
    providerId: `provider-${index}`,
    owner: `owner-${index}`,
    bidId: `bid-${index}`,
    payment: toMicro(BigInt(payment)),
  }));

const settled = (escrow: bigint | number, payments: readonly (bigint | number)[], creditPercent: number) =>
  settle({ escrow: toMicro(BigInt(escrow)), winners: winnersOf(payments), creditPercent });

test('without a credit everybody gets its payment and the rest of the escrow is refunded', () => {
  expect(settled(300, [70, 60], 0)).toEqual({
    payouts: [
      { providerId: 'provider-0', owner: 'owner-0', bidId: 'bid-0', amount: '70' },
      { providerId: 'provider-1', owner: 'owner-1', bidId: 'bid-1', amount: '60' },
    ],
    price: '130',
    slaCredit: '0',
    refund: '170',
    rounding: '0',
  });
});

test('charges round up, payouts down, the remainder is booked', () => {
  // 90 % of 11 + 12 + 13 = 32.4: charged 33, paid 9 + 10 + 11.
  const result = settled(40, [11, 12, 13], 10);
  expect(result.payouts.map(({ amount }) => amount)).toEqual(['9', '10', '11']);
  expect(result).toMatchObject({ price: '33', slaCredit: '3', refund: '4', rounding: '3' });
});

test('a full credit pays nobody and charges nothing', () => {
  expect(settled(30, [10, 20], 100)).toMatchObject({
    price: '0',
    slaCredit: '30',
    refund: '0',
    rounding: '0',
  });
});

test('nobody accepted: the whole escrow goes back', () => {
  expect(settled(30, [], 25)).toMatchObject({ payouts: [], price: '0', refund: '30' });
});

test('broken invariants throw: payments above the escrow, a credit that is no percentage', () => {
  expect(() => settled(10, [11], 0)).toThrow(RangeError);
  for (const percent of [-1, 101, 2.5, Number.NaN])
    expect(() => settled(10, [1], percent)).toThrow(RangeError);
});

describe('R63', () => {
  test('every micro-unit of the escrow is accounted for, and nobody gets more than it was promised', () => {
    const payments = fc.array(fc.bigInt({ min: 0n, max: 10n ** 15n }), { maxLength: 6 });
    fc.assert(
      fc.property(
        payments,
        fc.bigInt({ min: 0n, max: 10n ** 12n }),
        fc.integer({ min: 0, max: 100 }),
        (fees, rest, credit) => {
          const escrow = fees.reduce((sum, fee) => sum + fee, rest);
          const { payouts, price, slaCredit, refund, rounding } = settled(escrow, fees, credit);
          const paid = payouts.reduce((sum, { amount }) => sum + units(amount), 0n);
          expect(paid + units(rounding)).toBe(units(price));
          expect(units(price) + units(slaCredit) + units(refund)).toBe(escrow);
          expect(units(rounding) >= 0n && units(rounding) <= BigInt(fees.length)).toBe(true);
          for (const [index, { amount }] of payouts.entries())
            expect(units(amount) <= (fees[index] ?? 0n)).toBe(true);
        },
      ),
    );
  });
});
