import type { Winner } from '../auction/events.ts';
import { add, type Micro, subtract, toMicro, units } from '../money.ts';
import type { Payout } from './events.ts';

export interface SettlementInput {
  /** Held for the job: winners × ceiling. */
  readonly escrow: Micro;
  /** Members whose results were accepted, with the payment each was promised. Nobody else is paid. */
  readonly winners: readonly Pick<Winner, 'providerId' | 'owner' | 'bidId' | 'payment'>[];
  /** Share of the fee credited to the submitter, an integer 0..100. */
  readonly creditPercent: number;
}

/** escrow = Σ payouts + rounding + slaCredit + refund; price = Σ payouts + rounding. */
export interface Settlement {
  readonly payouts: readonly Payout[];
  /** What the job costs its submitter. */
  readonly price: Micro;
  /** Part of the fee given back for the missed SLA. */
  readonly slaCredit: Micro;
  /** Escrow that was never owed. */
  readonly refund: Micro;
  /** Charged but too small to pay out: goes to the rounding account. Less than one micro-unit per winner. */
  readonly rounding: Micro;
}

const HUNDRED = 100n;

/**
 * Splits the escrow of a finished job. A credit lowers every winner's payment by the same percentage; charges round up,
 * payouts down, the remainder is booked (settled 10).
 * @throws RangeError when the payments exceed the escrow or the credit is no percentage: a broken invariant.
 */
export const settle = ({ escrow, winners, creditPercent }: SettlementInput): Settlement => {
  if (!Number.isInteger(creditPercent) || creditPercent < 0 || creditPercent > 100) {
    throw new RangeError(`not a percentage: ${creditPercent}`);
  }
  const kept = HUNDRED - BigInt(creditPercent);
  const fee = add(...winners.map(({ payment }) => payment));
  if (units(fee) > units(escrow)) throw new RangeError(`payments of ${fee} exceed the escrow of ${escrow}`);
  const payouts = winners.map(({ providerId, owner, bidId, payment }) => ({
    providerId,
    owner,
    bidId,
    amount: toMicro((units(payment) * kept) / HUNDRED),
  }));
  const price = toMicro((units(fee) * kept + HUNDRED - 1n) / HUNDRED);
  return {
    payouts,
    price,
    slaCredit: subtract(fee, price),
    refund: subtract(escrow, fee),
    rounding: subtract(price, add(...payouts.map(({ amount }) => amount))),
  };
};
