import { type LedgerEntry, transfer } from '../ledger/entry.ts';
import { account } from '../ledger/events.ts';
import { add, multiply, subtract, ZERO } from '../money.ts';
import type { JobEvent, JobFailed, JobSettled, Payout } from './events.ts';
import type { Job } from './job.ts';

const depositBack = (job: Job, bidId: string, owner: string, cause: string): LedgerEntry =>
  transfer('release', account.deposit(bidId), account.available(owner), job.ceiling, cause, `deposit/${bidId}`);

const paid = (job: Job, payout: Payout, cause: string): LedgerEntry =>
  transfer(
    'payment',
    account.escrow(job.auctionId),
    account.available(payout.owner),
    payout.amount,
    cause,
    `payment/${payout.bidId}`,
  );

/** Pays what is due, and returns what is left of the escrow and every deposit still held. */
const closeOut = (job: Job, event: JobSettled | JobFailed, cause: string): LedgerEntry[] => {
  const escrow = multiply(job.ceiling, job.winners);
  const payouts = event.payouts.reduce((sum, payout) => add(sum, payout.amount), ZERO);
  const credit = event.type === 'job.settled' ? event.slaCredit : ZERO;
  const submitter = account.available(job.submitter);
  return [
    ...event.payouts.map((payout) => paid(job, payout, cause)),
    transfer('sla-credit', account.escrow(job.auctionId), submitter, credit, cause),
    transfer('release', account.escrow(job.auctionId), submitter, subtract(escrow, add(payouts, credit)), cause, 'refund'),
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
