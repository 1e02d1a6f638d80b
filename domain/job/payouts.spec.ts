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

test('three of four agree where two were bought: what is held is shared in proportion, for nobody pays more', () => {
  expect(settled(200, [90, 90, 60], 0)).toMatchObject({
    payouts: [{ amount: '75' }, { amount: '75' }, { amount: '50' }],
    price: '200',
    slaCredit: '0',
    refund: '0',
    rounding: '0',
  });
  // 10 % of 200 are credited; a third of 180 each, 60.
  expect(settled(200, [90, 90, 90], 10)).toMatchObject({
    payouts: [{ amount: '60' }, { amount: '60' }, { amount: '60' }],
    price: '180',
    slaCredit: '20',
    refund: '0',
  });
  expect(settled(200, [70, 70, 60], 0)).toMatchObject({ price: '200', refund: '0' });
});

test('a credit that is no percentage is a broken invariant', () => {
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
        fc.integer({ min: 0, max: 200 }),
        fc.integer({ min: 0, max: 100 }),
        (fees, rest, share, credit) => {
          const escrow = (fees.reduce((sum, fee) => sum + fee, rest) * BigInt(share)) / 100n;
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
