import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machineDecider, specify } from '../../test/support/decider.ts';
import { applyEvent } from '../lifecycle.ts';
import { toMicro, units } from '../money.ts';
import type { SubmitJob } from './commands.ts';
import { decide, decideV3 } from './decide.ts';
import type { JobEvent } from './events.ts';
import { auctionIdOf, blankJob, evolveJob, type Job } from './job.ts';
import { jobMachine } from './machine.ts';
import { movements } from './movements.ts';
import { waitsUntil } from './waiting.ts';

const { given } = specify(machineDecider(jobMachine, decide));

const AT = '2026-01-01T00:00:00.000Z';
const submit: SubmitJob = {
  type: 'submit',
  jobId: 'job-1',
  submitter: 'subject-1',
  quoteId: 'quote-1',
  auctionId: 'auction-1',
  auctionGiven: false,
  tier: 'silver',
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  ceiling: toMicro('1000'),
  codeHash: 'aa',
  args: [],
  inputHash: 'bb',
  memoryMb: 64,
  auctionSeconds: 10,
  maxWaitSeconds: 300,
  allowSimulated: true,
  seed: '00',
};
const eventsOf = (command: SubmitJob): readonly JobEvent[] => {
  const decision = decide(given().state, command, { now: AT, actor: 'subject-1' });
  return decision.ok ? decision.events : [];
};
const queued = eventsOf(submit);
const admitted: JobEvent = { type: 'job.admitted', attempt: 1, admittedAt: AT };
const opened: JobEvent = { type: 'job.auction-opened', auctionId: 'auction-1', closesAt: AT };
const requeued: JobEvent = {
  type: 'job.requeued',
  attempt: 2,
  auctionId: auctionIdOf('job-1', 2),
  reason: 'AUCTION_NOT_ENOUGH_BIDS',
  message: 'bids of distinct owners: have 1, need 3',
  requeuedAt: '2026-01-01T00:00:40.000Z',
};
const waited = { type: 'deadline', id: 'waited', dueAt: AT } as const;
const aborted: JobEvent = {
  type: 'job.aborted',
  reason: 'WAIT_LIMIT_EXCEEDED',
  message: 'no room for the job within its max_wait_seconds of 300',
};
const failed: JobEvent = {
  type: 'job.failed',
  reason: 'WAIT_LIMIT_EXCEEDED',
  message: '',
  payouts: [],
  price: toMicro('0'),
  failedAt: AT,
};

describe('a job that may wait', () => {
  test('waits before its auction, and again after one that found too few bids', () => {
    expect(given(...queued).state.value).toBe('queued');
    expect(given(...queued, admitted).state.value).toBe('quoted');
    for (const events of [
      [admitted, requeued],
      [admitted, opened, requeued],
    ])
      expect(given(...queued, ...events).state).toMatchObject({
        value: 'queued',
        context: { auctionId: auctionIdOf('job-1', 2), attempt: 2, closesAt: null },
      });
  });

  test('is let out by the engine alone, and for the attempt that it waits for', () => {
    const admit = { type: 'admit', attempt: 1 } as const;
    given(...queued)
      .when(admit, { now: AT })
      .then(admitted);
    given(...queued)
      .when(admit, { actor: 'subject-1' })
      .thenRejects('AUTHORIZATION_FAILED');
    given(...queued)
      .when({ ...admit, attempt: 2 })
      .thenRejects('CONFLICT');
    given(...queued, admitted)
      .when(admit)
      .thenRejects('CONFLICT');
    const second = { ...admit, attempt: 2 };
    expect(
      given(...queued, admitted, requeued)
        .when(second, { now: AT })
        .thenState().value,
    ).toBe('quoted');
  });

  test('past its limit it fails, and says what its last auction was', () => {
    given(...queued)
      .when(waited)
      .then(aborted);
    given(...queued, admitted)
      .when(waited)
      .thenRejects('CONFLICT');
    const state = given(...queued, admitted, opened, requeued)
      .when(waited)
      .thenState();
    expect(state.context.failure).toMatchObject({
      reason: 'WAIT_LIMIT_EXCEEDED',
      message: expect.stringMatching(
        /300; its last auction: bids of distinct owners: have 1, need 3$/,
      ) as string,
    });
  });

  test.each([-1, 0.5, 3601, Number.NaN])('refuses a limit of %s seconds', (maxWaitSeconds) => {
    given()
      .when({ ...submit, maxWaitSeconds })
      .thenRejects('INVALID_REQUEST', undefined, [
        { field: 'max_wait_seconds', rule: 'an integer from 0 to 3600' },
      ]);
  });

  test('does not, with a limit of nothing, with an award that was bought before, and before version 4', () => {
    const { value } = given()
      .when({ ...submit, maxWaitSeconds: 0 }, { now: AT })
      .thenState();
    expect(value).toBe('quoted');
    const taken = given()
      .when({ ...submit, auctionGiven: true }, { now: AT })
      .thenState();
    expect(taken).toMatchObject({ value: { auctioning: 'taking' } });
    const old = decideV3(given().state, submit, { now: AT, actor: 'subject-1' });
    expect(old).toMatchObject({ ok: true, events: [{ type: 'job.submitted', machineVersion: 3 }] });
    expect(old.ok && old.events[0]).not.toHaveProperty('maxWaitSeconds');
  });

  test('no job waits past its limit: in all attempts together its deadline is max_wait_seconds after its submission', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3600 }),
        fc.array(fc.integer({ min: 0, max: 4000 }), { maxLength: 8 }),
        (maxWaitSeconds, requeues) => {
          let snapshot = given().state;
          const apply = (event: JobEvent): number => {
            const [next, actions] = applyEvent(jobMachine, snapshot as never, event);
            snapshot = next as typeof snapshot;
            const raise = actions.find(({ type }) => type === 'xstate.raise');
            return (raise?.params as { delay?: number } | undefined)?.delay ?? Number.NaN;
          };
          const end = Date.parse(AT) + maxWaitSeconds * 1000;
          const [submitted] = eventsOf({ ...submit, maxWaitSeconds });
          expect(Date.parse(AT) + apply(submitted as JobEvent)).toBe(end);
          for (const [index, seconds] of requeues.toSorted((a, b) => a - b).entries()) {
            const attempt = index + 2;
            const requeuedAt = new Date(Date.parse(AT) + seconds * 1000).toISOString();
            apply(admitted);
            const delay = apply({ ...requeued, attempt, requeuedAt });
            expect(Date.parse(requeuedAt) + delay).toBe(Math.max(end, Date.parse(requeuedAt)));
          }
          expect(Date.parse(waitsUntil(snapshot.context))).toBe(end);
        },
      ),
    );
  });
});

/** What every account has in the end. */
const balances = (events: readonly JobEvent[]): Map<string, bigint> => {
  const accounts = new Map<string, bigint>();
  let job: Job = blankJob;
  for (const [index, event] of events.entries()) {
    for (const { postings } of movements(job, event, `job-1@${index}`))
      for (const { account, amount } of postings)
        accounts.set(account, (accounts.get(account) ?? 0n) + units(amount));
    expect([...accounts.values()].reduce((sum, each) => sum + each, 0n)).toBe(0n);
    job = evolveJob(job, event);
  }
  return accounts;
};
const left = (events: readonly JobEvent[]) =>
  Object.fromEntries([...balances(events)].filter(([, balance]) => balance !== 0n));

describe('the money of a job that waits', () => {
  test('all of it is back where it ends in the queue, the opening fee too', () => {
    expect(left(queued)).toEqual({
      'available:subject-1': -2020n,
      'escrow:auction-1': 2020n,
    });
    expect(left([...queued, aborted, failed])).toEqual({});
  });

  test('the opening fee is paid once, with its first auction; the escrow is back after any number of them', () => {
    const paid = { 'available:subject-1': -20n, fees: 20n };
    expect(left([...queued, admitted, opened, aborted, failed])).toEqual(paid);
    const again = [requeued, { ...admitted, attempt: 2 } as JobEvent];
    expect(left([...queued, admitted, opened, ...again, aborted, failed])).toEqual(paid);
    expect(left([...queued, admitted, opened, requeued, aborted, failed])).toEqual(paid);
  });

  test('what its members are paid comes from the escrow of its first auction', () => {
    const payout = { providerId: 'provider-0', owner: 'owner-0', bidId: 'bid-0', amount: toMicro('600') };
    const settled: JobEvent = {
      type: 'job.settled',
      payouts: [payout],
      slaCredit: toMicro('0'),
      price: toMicro('600'),
      refund: toMicro('1400'),
      settledAt: AT,
    };
    expect(left([...queued, admitted, requeued, { ...admitted, attempt: 2 }, settled])).toEqual({
      'available:subject-1': -620n,
      'available:owner-0': 600n,
      fees: 20n,
    });
  });
});
