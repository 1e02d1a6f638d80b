import type { Winner } from '../auction/events.ts';
import { add, compare, type Micro, subtract, toMicro, units, ZERO } from '../money.ts';
import type { Payout } from './events.ts';

export interface SettlementInput {
  /** Held for the job: winners × ceiling. */
  readonly escrow: Micro;
  /** Members whose results were accepted, with the payment each is owed. Nobody else is paid: not a deviant. */
  readonly winners: readonly (Pick<Winner, 'providerId' | 'owner' | 'bidId' | 'payment'> & {
    /** Share of its own fee credited to the submitter, where it is not `creditPercent`. */
    readonly creditPercent?: number;
  })[];
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
 * Splits the escrow of a finished job. A credit lowers a winner's payment by its percentage; charges round up,
 * payouts down, the remainder is booked (settled 10). The escrow pays for the members bought: where more results agree
 * than were bought (three of four, when two members were asked to decide between two), they share it in proportion to
 * what each is owed, for the submitter pays no more than it agreed to.
 * @throws RangeError when the credit is no percentage: a broken invariant.
 */
export const settle = ({ escrow, winners, creditPercent }: SettlementInput): Settlement => {
  const owed = add(...winners.map(({ payment }) => payment));
  const fee = compare(owed, escrow) > 0 ? escrow : owed;
  const kept = (own = creditPercent): bigint => HUNDRED - BigInt(percentage(own));
  const payouts = winners.map(({ providerId, owner, bidId, payment, creditPercent: own }) => ({
    providerId,
    owner,
    bidId,
    // Nothing is owed: there is nothing to share, and no share to divide by.
    amount: owed === ZERO ? ZERO : share(payment, units(fee) * kept(own), units(owed) * HUNDRED),
  }));
  // What is kept of every fee, as one fraction: it is rounded once.
  const due = winners.reduce((sum, { payment, creditPercent: own }) => sum + units(payment) * kept(own), 0n);
  const whole = owed === ZERO ? HUNDRED : units(owed) * HUNDRED;
  const price = toMicro((due * units(fee) + whole - 1n) / whole);
  return {
    payouts,
    price,
    slaCredit: subtract(fee, price),
    refund: subtract(escrow, fee),
    rounding: subtract(price, add(...payouts.map(({ amount }) => amount))),
  };
};

const percentage = (value: number): number => {
  if (!Number.isInteger(value) || value < 0 || value > 100)
    throw new RangeError(`not a percentage: ${value}`);
  return value;
};

/** `amount` × `part` / `whole`, rounded down. */
const share = (amount: Micro, part: bigint, whole: bigint): Micro => toMicro((units(amount) * part) / whole);
