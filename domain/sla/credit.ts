import { type Acceptance, accept } from '../decision.ts';
import { type LedgerEntry, transfer } from '../ledger/entry.ts';
import { account } from '../ledger/events.ts';
import { add, type Micro, subtract, toMicro, units } from '../money.ts';
import { SLA_VERSION, type SlaCreditGranted, type SlaEvent } from './events.ts';
import type { SlaAccount } from './fold.ts';
import type { Service } from './service.ts';

/** A breach that a recorded proof shows in the service of an ended job. */
export interface CreditClaim {
  readonly service: Service;
  readonly proofId: string;
  /** Percent of the fee, 0..100. */
  readonly creditPercent: number;
}

const HUNDRED = 100n;
const ZERO_UNITS = 0n;

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const notNegative = (value: bigint): bigint => (value > ZERO_UNITS ? value : ZERO_UNITS);

/**
 * What of its earnings a provider has to give back: with it the job has cost what it would have cost had its settlement
 * known of the breach, rounded as there. A credit that the settlement gave counts, so the fee is never exceeded.
 */
export const creditDue = ({ fee, earned }: Pick<Service, 'fee' | 'earned'>, creditPercent: number): Micro => {
  const kept = (units(fee) * (HUNDRED - BigInt(creditPercent))) / HUNDRED;
  return toMicro(notNegative(units(earned) - kept));
};

/**
 * Grants what a claim adds to the claims before it. Of all windows of one job the worst counts, so windows do not add up
 * and the same proof again moves nothing; what could not be paid then is paid now.
 * @param available money of the provider's owner that may be taken.
 */
export const decideCredit = (
  before: SlaAccount,
  { service, proofId, creditPercent }: CreditClaim,
  { available, now }: { readonly available: Micro; readonly now: string },
): Acceptance<SlaEvent> => {
  const { jobId, providerId, owner, submitter, fee, earned } = service;
  const claimed = units(creditDue(service, creditPercent));
  const unpaid = notNegative(claimed - units(before.paid));
  const paid = toMicro(least(unpaid, notNegative(units(available))));
  const due = claimed > units(before.due) ? toMicro(claimed) : before.due;
  if (units(paid) === ZERO_UNITS && due === before.due) return accept();
  return accept({
    type: 'sla.credit-granted',
    machineVersion: SLA_VERSION,
    jobId,
    providerId,
    owner,
    submitter,
    proofId,
    creditPercent,
    fee,
    earned,
    due,
    paid,
    outstanding: subtract(due, add(before.paid, paid)),
    grantedAt: now,
  });
};

/** The money that follows a credit: from the provider's owner to the job's submitter. @param cause id of the event. */
export const creditMovement = ({ owner, submitter, paid }: SlaCreditGranted, cause: string): LedgerEntry =>
  transfer('sla-credit', account.available(owner), account.available(submitter), paid, cause);
