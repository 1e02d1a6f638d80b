import { type LedgerEntry, openingFee, transfer } from '../ledger/entry.ts';
import { account } from '../ledger/events.ts';
import { add, multiply, subtract, ZERO } from '../money.ts';
import type { JobEvent, JobFailed, JobSettled, Payout } from './events.ts';
import type { Job } from './job.ts';

const depositBack = (job: Job, bidId: string, owner: string, cause: string): LedgerEntry =>
  transfer(
    'release',
    account.deposit(bidId),
    account.available(owner),
    job.ceiling,
    cause,
    `deposit/${bidId}`,
  );

const paid = (job: Job, payout: Payout, cause: string): LedgerEntry =>
  transfer(
    'payment',
    account.escrow(job.auctionId),
    account.available(payout.owner),
    payout.amount,
    cause,
    `payment/${payout.bidId}`,
  );

/** Pays what is due, books the remainder of rounding, and returns what is left of the escrow and every deposit held. */
const closeOut = (job: Job, event: JobSettled | JobFailed, cause: string): LedgerEntry[] => {
  // An award that was never taken over is not this job's to release.
  if (job.auctionGiven && job.awarded.length === 0) return [];
  const escrow = account.escrow(job.auctionId);
  const submitter = account.available(job.submitter);
  const paidOut = event.payouts.reduce((sum, payout) => add(sum, payout.amount), ZERO);
  const credit = event.type === 'job.settled' ? event.slaCredit : ZERO;
  const refund = subtract(multiply(job.ceiling, job.winners), add(event.price, credit));
  return [
    ...event.payouts.map((payout) => paid(job, payout, cause)),
    transfer('payment', escrow, account.rounding, subtract(event.price, paidOut), cause, 'rounding'),
    transfer('sla-credit', escrow, submitter, credit, cause),
    transfer('release', escrow, submitter, refund, cause, 'refund'),
    ...job.deposits.map((deposit) => depositBack(job, deposit.bidId, deposit.owner, cause)),
  ];
};

/** Money that follows a job's events. `job` is the state before the event. */
export const movements = (job: Job, event: JobEvent, cause: string): LedgerEntry[] => {
  switch (event.type) {
    case 'job.submitted':
      return event.auctionGiven
        ? []
        : [
            transfer(
              'hold',
              account.available(event.submitter),
              account.escrow(event.auctionId),
              multiply(event.ceiling, event.winners),
              cause,
            ),
            ...openingFee(event.submitter, event.openingFee, cause),
          ];
    case 'job.member-failed': {
      // A replacement stands without a deposit: its own was refunded when it lost the auction.
      if (!job.deposits.some((deposit) => deposit.bidId === event.bidId)) return [];
      return event.slashed
        ? [transfer('slash', account.deposit(event.bidId), account.slashed, job.ceiling, event.evidenceId)]
        : [depositBack(job, event.bidId, event.owner, cause)];
    }
    case 'job.settled':
    case 'job.failed':
      return closeOut(job, event, cause);
    default:
      return [];
  }
};
