import { type LedgerEntry, openingFee, transfer } from '../ledger/entry.ts';
import { account } from '../ledger/events.ts';
import { add, type Micro, multiply, subtract, ZERO } from '../money.ts';
import type { Forfeits, JobEvent, JobFailed, JobSettled, Payout } from './events.ts';
import type { Job } from './job.ts';

const escrowOf = ({ escrowOf: first, auctionId }: Job): string => account.escrow(first ?? auctionId);

/** The opening fee of a job that waits: held with the escrow until there is an auction to open, and given back where none was. */
const heldFee = ({ queuedAt, feePaid = false, openingFee = ZERO }: Job): Micro =>
  queuedAt === undefined || feePaid ? ZERO : openingFee;

const depositBack = (
  { ceiling }: Job,
  bidId: string,
  owner: string,
  cause: string,
  forfeit: Micro = ZERO,
): LedgerEntry =>
  transfer(
    'release',
    account.deposit(bidId),
    account.available(owner),
    subtract(ceiling, forfeit),
    cause,
    `deposit/${bidId}`,
  );

/** What was forfeited in the job, with the deposits of those who deviated, goes to whom it was forfeited for. */
const shareForfeits = (job: Job, { fraud = [], compensation }: Forfeits, cause: string): LedgerEntry[] => {
  const forfeits = account.forfeits(job.jobId);
  const pot = add(job.forfeited ?? ZERO, ...fraud.map(({ amount }) => amount));
  if (pot === ZERO) return [];
  const { submitter, members } = compensation ?? { submitter: pot, members: [] };
  return [
    ...fraud.map(({ bidId, amount }) =>
      transfer('slash', account.deposit(bidId), forfeits, amount, cause, `slash/${bidId}`),
    ),
    transfer('compensation', forfeits, account.available(job.submitter), submitter, cause),
    ...members.map(({ providerId, owner, amount }) =>
      transfer(
        'compensation',
        forfeits,
        account.available(owner),
        amount,
        cause,
        `compensation/${providerId}`,
      ),
    ),
  ];
};

const paid = (job: Job, payout: Payout, cause: string): LedgerEntry =>
  transfer(
    'payment',
    escrowOf(job),
    account.available(payout.owner),
    payout.amount,
    cause,
    `payment/${payout.bidId}`,
  );

/** Pays what is due, books the remainder of rounding, and returns what is left of the escrow and every deposit held. */
const closeOut = (job: Job, event: JobSettled | JobFailed, cause: string): LedgerEntry[] => {
  // An award that was never taken over is not this job's to release.
  if (job.auctionGiven && job.awarded.length === 0) return [];
  const escrow = escrowOf(job);
  const submitter = account.available(job.submitter);
  const paidOut = event.payouts.reduce((sum, payout) => add(sum, payout.amount), ZERO);
  const credit = event.type === 'job.settled' ? event.slaCredit : ZERO;
  const held = add(multiply(job.ceiling, job.winners), heldFee(job));
  const refund = subtract(held, add(event.price, credit));
  return [
    ...event.payouts.map((payout) => paid(job, payout, cause)),
    transfer('payment', escrow, account.rounding, subtract(event.price, paidOut), cause, 'rounding'),
    transfer('sla-credit', escrow, submitter, credit, cause),
    transfer('release', escrow, submitter, refund, cause, 'refund'),
    ...shareForfeits(job, event, cause),
    ...job.deposits
      .filter(({ bidId }) => !event.fraud?.some((each) => each.bidId === bidId))
      .map((deposit) => depositBack(job, deposit.bidId, deposit.owner, cause)),
  ];
};

/** Money that follows a job's events. `job` is the state before the event. */
export const movements = (job: Job, event: JobEvent, cause: string): LedgerEntry[] => {
  switch (event.type) {
    case 'job.submitted': {
      if (event.auctionGiven) return [];
      const escrow = multiply(event.ceiling, event.winners);
      const mayWait = event.maxWaitSeconds !== undefined;
      return [
        transfer(
          'hold',
          account.available(event.submitter),
          account.escrow(event.auctionId),
          mayWait ? add(escrow, event.openingFee ?? ZERO) : escrow,
          cause,
        ),
        ...(mayWait ? [] : openingFee(event.submitter, event.openingFee, cause)),
      ];
    }
    case 'job.admitted':
      return [transfer('fee', escrowOf(job), account.fees, heldFee(job), cause)];
    case 'job.member-failed': {
      // Before machine version 3 a replacement stood without a deposit: its own was refunded when it lost the auction.
      if (!job.deposits.some((deposit) => deposit.bidId === event.bidId)) return [];
      if (event.forfeit !== undefined) {
        const { bidId, owner, forfeit, evidenceId } = event;
        const forfeits = account.forfeits(job.jobId);
        return [
          transfer('slash', account.deposit(bidId), forfeits, forfeit, evidenceId),
          depositBack(job, bidId, owner, cause, forfeit),
        ];
      }
      return event.slashed
        ? [transfer('slash', account.deposit(event.bidId), account.slashed, job.ceiling, event.evidenceId)]
        : [depositBack(job, event.bidId, event.owner, cause)];
    }
    case 'job.standby-accepted': {
      const { bidId, owner } = event;
      return [transfer('hold', account.available(owner), account.deposit(bidId), job.ceiling, cause)];
    }
    case 'job.settled':
    case 'job.failed':
      return closeOut(job, event, cause);
    default:
      return [];
  }
};
