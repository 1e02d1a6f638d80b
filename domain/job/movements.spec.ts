import { describe, expect, test } from 'vitest';
import { bidOf } from '../auction/market.fixture.ts';
import { toMicro } from '../money.ts';
import type { JobEvent, JobMemberFailed, JobSettled, JobSubmitted } from './events.ts';
import { blankJob, evolveJob, type Job } from './job.ts';
import { movements } from './movements.ts';

const AT = '2026-01-01T00:00:00.000Z';
const micro = (amount: number) => toMicro(BigInt(amount));

const submitted = (auctionGiven = false): JobSubmitted => ({
  type: 'job.submitted',
  machineVersion: 1,
  jobId: 'job-1',
  submitter: 'subject-s',
  quoteId: 'quote-1',
  auctionId: 'auction-1',
  auctionGiven,
  tier: 'silver',
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  ceiling: micro(1000),
  winners: 2,
  codeHash: 'aa',
  args: [],
  inputHash: 'bb',
  memoryMb: 64,
  auctionSeconds: 10,
  allowSimulated: true,
  seed: '00',
  submittedAt: AT,
});
const awarded: JobEvent = {
  type: 'job.auction-awarded',
  auctionId: 'auction-1',
  winners: [0, 1].map((index) => ({ ...bidOf(index, 100), payment: micro(101) })),
  reserve: [],
  seed: '11',
};
const failing = (index: number, slashed: boolean): JobMemberFailed => ({
  type: 'job.member-failed',
  providerId: `provider-${index}`,
  owner: `owner-${index}`,
  bidId: `bid-${index}`,
  enclaveId: `enclave-${index}`,
  fault: slashed ? 'refusal' : 'lost',
  slashed,
  evidenceId: `enclave-${index}@1`,
  message: '',
});
const failed: JobEvent = {
  type: 'job.failed',
  reason: 'RESOURCE_UNAVAILABLE',
  message: '',
  payouts: [],
  price: micro(0),
  failedAt: AT,
};
const settled: JobSettled = {
  type: 'job.settled',
  payouts: [0, 1].map((index) => ({
    providerId: `provider-${index}`,
    owner: `owner-${index}`,
    bidId: `bid-${index}`,
    amount: micro(90),
  })),
  price: micro(182),
  slaCredit: micro(20),
  refund: micro(1798),
  settledAt: AT,
};

const stateOf = (...events: readonly JobEvent[]): Job => events.reduce(evolveJob, blankJob);

/** `from > to: amount` of every entry that `event` causes after `before`; entries that move nothing left out. */
const moved = (before: readonly JobEvent[], event: JobEvent): string[] => {
  const entries = movements(stateOf(...before), event, 'job-1@9');
  expect(new Set(entries.map(({ entryId }) => entryId)).size).toBe(entries.length);
  return entries
    .filter(({ postings }) => postings.some(({ amount }) => amount !== '0'))
    .map(({ kind, postings: [from, to] }) => `${kind} ${from?.account} > ${to?.account}: ${to?.amount}`);
};

describe('submitting', () => {
  test('holds winners × ceiling, unless the auction holds it already', () => {
    expect(moved([], submitted())).toEqual(['hold available:subject-s > escrow:auction-1: 2000']);
    expect(moved([], submitted(true))).toEqual([]);
  });

  test('settled 41: takes the fee for opening an auction, which a job that fails does not get back', () => {
    const asked = { ...submitted(), openingFee: micro(20) };
    expect(moved([], asked)).toEqual([
      'hold available:subject-s > escrow:auction-1: 2000',
      'fee available:subject-s > fees: 20',
    ]);
    expect(moved([asked], failed)).toEqual(['release escrow:auction-1 > available:subject-s: 2000']);
  });
});

describe('settled 38: a standby that accepts', () => {
  const accepted: JobEvent = {
    type: 'job.standby-accepted',
    providerId: 'provider-2',
    owner: 'owner-2',
    bidId: 'bid-2',
    acceptedAt: AT,
  };

  test('is bound by a deposit, which it loses and gets back like a winner', () => {
    const before = [submitted(), awarded, failing(0, false)];
    expect(moved(before, accepted)).toEqual(['hold available:owner-2 > deposit:bid-2: 1000']);
    const bound = [...before, accepted];
    expect(moved(bound, { ...failing(2, true), forfeit: micro(250) })).toEqual([
      'slash deposit:bid-2 > forfeits:job-1: 250',
      'release deposit:bid-2 > available:owner-2: 750',
    ]);
    expect(moved(bound, failed)).toContain('release deposit:bid-2 > available:owner-2: 1000');
    expect(moved([...bound, failing(2, false)], failed).join()).not.toContain('bid-2');
  });
});

describe('a failed member', () => {
  test('loses its deposit for a fault, citing the event that shows it', () => {
    const [entry] = movements(stateOf(submitted(), awarded), failing(0, true), 'job-1@9');
    expect(entry).toMatchObject({ kind: 'slash', cause: 'enclave-0@1', entryId: 'enclave-0@1/slash' });
    expect(moved([submitted(), awarded], failing(0, true))).toEqual(['slash deposit:bid-0 > slashed: 1000']);
  });

  test('gets it back after a crash', () => {
    expect(moved([submitted(), awarded], failing(0, false))).toEqual([
      'release deposit:bid-0 > available:owner-0: 1000',
    ]);
  });

  test('has none to lose as a replacement', () => {
    expect(moved([submitted(), awarded], failing(7, true))).toEqual([]);
  });
});

describe('settled 39: forfeits', () => {
  const lost = (index: number): JobMemberFailed => ({ ...failing(index, true), forfeit: micro(250) });
  const history = [submitted(), awarded, lost(1)];

  test('a share of the deposit is kept for the end of the job, the rest goes back at once', () => {
    const [entry] = movements(stateOf(submitted(), awarded), lost(1), 'job-1@9');
    expect(entry).toMatchObject({ kind: 'slash', cause: 'enclave-1@1', entryId: 'enclave-1@1/slash' });
    expect(moved([submitted(), awarded], lost(1))).toEqual([
      'slash deposit:bid-1 > forfeits:job-1: 250',
      'release deposit:bid-1 > available:owner-1: 750',
    ]);
  });

  test('then submitter and those who delivered get it', () => {
    const compensation = {
      submitter: micro(125),
      members: [{ providerId: 'provider-0', owner: 'owner-0', amount: micro(125) }],
    };
    const payouts = settled.payouts.slice(0, 1);
    const end = { ...settled, payouts, price: micro(90), compensation };
    expect(moved(history, end)).toEqual([
      'payment escrow:auction-1 > available:owner-0: 90',
      'sla-credit escrow:auction-1 > available:subject-s: 20',
      'release escrow:auction-1 > available:subject-s: 1890',
      'compensation forfeits:job-1 > available:subject-s: 125',
      'compensation forfeits:job-1 > available:owner-0: 125',
      'release deposit:bid-0 > available:owner-0: 1000',
    ]);
  });

  test('or the submitter alone, should nothing say who gets it', () => {
    expect(moved(history, failed)).toEqual([
      'release escrow:auction-1 > available:subject-s: 2000',
      'compensation forfeits:job-1 > available:subject-s: 250',
      'release deposit:bid-0 > available:owner-0: 1000',
    ]);
  });

  test('a fraud costs the whole deposit', () => {
    const fraud = [{ providerId: 'provider-1', owner: 'owner-1', bidId: 'bid-1', amount: micro(1000) }];
    const compensation = { submitter: micro(1000), members: [] };
    expect(moved([submitted(), awarded], { ...failed, fraud, compensation })).toEqual([
      'release escrow:auction-1 > available:subject-s: 2000',
      'slash deposit:bid-1 > forfeits:job-1: 1000',
      'compensation forfeits:job-1 > available:subject-s: 1000',
      'release deposit:bid-0 > available:owner-0: 1000',
    ]);
  });
});

describe('the end', () => {
  test('settles to the last unit: payouts, rounding, credit, refund and deposits', () => {
    expect(moved([submitted(), awarded], settled)).toEqual([
      'payment escrow:auction-1 > available:owner-0: 90',
      'payment escrow:auction-1 > available:owner-1: 90',
      'payment escrow:auction-1 > rounding: 2',
      'sla-credit escrow:auction-1 > available:subject-s: 20',
      'release escrow:auction-1 > available:subject-s: 1798',
      'release deposit:bid-0 > available:owner-0: 1000',
      'release deposit:bid-1 > available:owner-1: 1000',
    ]);
  });

  test('refunds a failed job and returns the deposits still held', () => {
    expect(moved([submitted()], failed)).toEqual(['release escrow:auction-1 > available:subject-s: 2000']);
    expect(moved([submitted(), awarded, failing(0, true)], failed)).toEqual([
      'release escrow:auction-1 > available:subject-s: 2000',
      'release deposit:bid-1 > available:owner-1: 1000',
    ]);
  });

  test('leaves the escrow of an award that was never taken to its auction', () => {
    expect(moved([submitted(true)], failed)).toEqual([]);
    expect(moved([submitted(true), awarded], failed)).toEqual([
      'release escrow:auction-1 > available:subject-s: 2000',
      'release deposit:bid-0 > available:owner-0: 1000',
      'release deposit:bid-1 > available:owner-1: 1000',
    ]);
  });

  test('pays the winners of a run that reached a limit', () => {
    const { payouts, price } = settled;
    expect(moved([submitted(), awarded], { ...failed, payouts, price })).toContain(
      'payment escrow:auction-1 > available:owner-0: 90',
    );
  });
});
