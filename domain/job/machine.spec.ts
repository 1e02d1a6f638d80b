import { describe, expect, test } from 'vitest';
import { machineDecider, specify } from '../../test/support/decider.ts';
import type { Winner } from '../auction/events.ts';
import { bidOf } from '../auction/market.fixture.ts';
import { toMicro } from '../money.ts';
import { decide, decideV2 } from './decide.ts';
import type { JobEvent } from './events.ts';
import { enclaveIdOf, type Job } from './job.ts';
import { jobMachine } from './machine.ts';
import { jobMachineV2 } from './machine-v2.ts';

const { given } = specify(machineDecider(jobMachine, decide));

const AT = '2026-01-01T00:00:00.000Z';
const JOB = 'job-1';
const winner = (index: number): Winner => ({ ...bidOf(index, 100), payment: toMicro('120') });
const provider = (index: number): string => `provider-${index}`;

const submitted = (auctionGiven = false): JobEvent => ({
  type: 'job.submitted',
  machineVersion: 1,
  jobId: JOB,
  submitter: 'subject-1',
  quoteId: 'quote-1',
  auctionId: 'auction-1',
  auctionGiven,
  tier: 'silver',
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  ceiling: toMicro('1000'),
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
const auctionOpened: JobEvent = { type: 'job.auction-opened', auctionId: 'auction-1', closesAt: AT };
const awarded: JobEvent = {
  type: 'job.auction-awarded',
  auctionId: 'auction-1',
  winners: [winner(0), winner(1)],
  reserve: [bidOf(2, 130), bidOf(3, 140)],
  seed: '11',
};
const formed = (epoch: number, ...members: readonly number[]): JobEvent => ({
  type: 'job.quorum-formed',
  quorumId: 'quorum-1',
  epoch,
  members: members.map(winner),
  predictedAvailability: 0.999,
  formedAt: AT,
});
const degraded = (epoch: number, ...members: readonly number[]): JobEvent => ({
  type: 'job.quorum-degraded',
  epoch,
  members: members.map(winner),
  violations: [],
});
const attested = (index: number): JobEvent => ({
  type: 'job.enclave-attested',
  providerId: provider(index),
  enclaveId: enclaveIdOf(JOB, provider(index)),
  label: 'simulated',
  attestedAt: AT,
});
const runStarted: JobEvent = { type: 'job.run-started', startedAt: AT };
const result = (index: number, outputHash = 'cc'): JobEvent => ({
  type: 'job.result-received',
  providerId: provider(index),
  enclaveId: enclaveIdOf(JOB, provider(index)),
  proofId: `proof-${index}`,
  outcome: 'exited',
  exitCode: 0,
  outputHash,
  missedHeartbeats: 0,
  finishedAt: AT,
});
const failed = (index: number): JobEvent => ({
  type: 'job.member-failed',
  providerId: provider(index),
  owner: `owner-${index}`,
  bidId: `bid-${index}`,
  enclaveId: enclaveIdOf(JOB, provider(index)),
  fault: 'lost',
  slashed: false,
  evidenceId: `enclave-${index}@3`,
  message: 'silent',
});
const accepted = (index: number): JobEvent => ({
  type: 'job.standby-accepted',
  providerId: provider(index),
  owner: `owner-${index}`,
  bidId: `bid-${index}`,
  acceptedAt: AT,
});
const declined = (index: number): JobEvent => ({
  type: 'job.standby-declined',
  providerId: provider(index),
  owner: `owner-${index}`,
  bidId: `bid-${index}`,
  reason: 'refused',
  message: 'busy',
});
const aborted: JobEvent = { type: 'job.aborted', reason: 'RESOURCE_UNAVAILABLE', message: 'stalled' };
const disagreed: JobEvent = { type: 'job.results-disagreed', results: 2 };
const proven: JobEvent = {
  type: 'job.proven',
  proofId: 'proof-0',
  outcome: 'exited',
  exitCode: 0,
  outputHash: 'cc',
  accepted: [provider(0), provider(1)],
  deviants: [],
  sla: { verdict: 'met', samples: 0, missedShare: 0, creditPercent: 0 },
  provenAt: AT,
};
const settled: JobEvent = {
  type: 'job.settled',
  payouts: [],
  slaCredit: toMicro('0'),
  price: toMicro('0'),
  refund: toMicro('0'),
  settledAt: AT,
};
const jobFailed: JobEvent = {
  type: 'job.failed',
  reason: 'RESOURCE_UNAVAILABLE',
  message: 'stalled',
  payouts: [],
  price: toMicro('0'),
  failedAt: AT,
};

const toForming = [submitted(), auctionOpened, awarded];
const toLaunching = [...toForming, formed(1, 0, 1)];
const toRunning = [...toLaunching, attested(0), attested(1)];
const toProving = [...toRunning, runStarted, result(0), result(1)];
const toSettling = [...toProving, proven];

const after = (...events: readonly JobEvent[]) => {
  const { value, context } = given(...events).state;
  return { value, job: context };
};
const memberIds = ({ members }: Job): string[] => members.map(({ providerId }) => providerId);

describe('the way of a job', () => {
  test.each<[unknown, readonly JobEvent[]]>([
    ['quoted', [submitted()]],
    [{ auctioning: 'waiting' }, [submitted(), auctionOpened]],
    [{ auctioning: 'taking' }, [submitted(true)]],
    [{ forming: 'first' }, toForming],
    [{ forming: 'first' }, [submitted(true), awarded]],
    ['launching', toLaunching],
    ['launching', [...toLaunching, attested(0)]],
    ['running', toRunning],
    ['running', [...toRunning, runStarted, result(0)]],
    ['proving', toProving],
    ['settling', toSettling],
    ['settled', [...toSettling, settled]],
    ['failed', [...toSettling, jobFailed]],
  ])('%j', (value, events) => {
    expect(after(...events).value).toEqual(value);
  });

  test('an extension of the auction moves its close', () => {
    const later = { ...auctionOpened, closesAt: '2026-01-01T00:00:20.000Z' } as JobEvent;
    expect(after(submitted(), auctionOpened, later).job.closesAt).toBe('2026-01-01T00:00:20.000Z');
  });

  test.each<[string, readonly JobEvent[]]>([
    ['quoted', [submitted()]],
    ['auctioning', [submitted(), auctionOpened]],
    ['taking an award', [submitted(true)]],
    ['forming', toForming],
    ['replacing', [...toLaunching, failed(0)]],
    ['adding', [...toProving, disagreed]],
    ['launching', toLaunching],
    ['running', toRunning],
    ['proving', toProving],
  ])('is aborted from %s', (_, events) => {
    const { value, job } = after(...events, aborted);
    expect(value).toBe('settling');
    expect(job.failure).toEqual({ reason: 'RESOURCE_UNAVAILABLE', message: 'stalled' });
    expect(after(...events, aborted, jobFailed).value).toBe('failed');
  });

  test('hears of its award even while it closes, and once', () => {
    const { value, job } = after(submitted(), auctionOpened, aborted, awarded);
    expect(value).toBe('settling');
    expect(job.deposits.map(({ bidId }) => bidId)).toEqual(['bid-0', 'bid-1']);
    const again = after(...toLaunching, failed(0), aborted, awarded);
    expect(again.job.deposits.map(({ bidId }) => bidId)).toEqual(['bid-1']);
  });
});

describe('a member that fails', () => {
  test.each<[string, readonly JobEvent[]]>([
    ['launching', toLaunching],
    ['launching, attested', [...toLaunching, attested(0)]],
    ['running', toRunning],
    ['another is being replaced', [...toLaunching, failed(1)]],
    ['a decider is being added', [...toProving, disagreed]],
  ])('is replaced when %s', (_, events) => {
    const { value, job } = after(...events, failed(0));
    expect(value).toEqual({ forming: 'replacing' });
    expect(memberIds(job)).not.toContain(provider(0));
    expect(job.failed.at(-1)).toMatchObject({ providerId: provider(0), fault: 'lost' });
    expect(job.deposits.map(({ bidId }) => bidId)).not.toContain('bid-0');
  });

  test('is told apart by whether the work had begun', () => {
    expect(after(...toLaunching, failed(0)).job.failed).toMatchObject([{ duringRun: false }]);
    expect(after(...toRunning, runStarted, failed(0)).job.failed).toMatchObject([{ duringRun: true }]);
  });

  test('fails once, and only as a member', () => {
    expect(given(...toLaunching, failed(0)).state.can(failed(0))).toBe(false);
    expect(given(...toLaunching).state.can(failed(5))).toBe(false);
  });

  test('makes the report of an epoch that still counts on it stale', () => {
    const { state } = given(...toRunning, failed(0));
    expect(state.can(formed(2, 0, 2))).toBe(false);
    expect(state.can(degraded(2, 0))).toBe(false);
    expect(state.can(formed(2, 1, 2))).toBe(true);
  });

  test('gives way to a new one, which is launched while the others keep what they have', () => {
    const events = [...toRunning, runStarted, result(1), failed(0), formed(2, 1, 2), accepted(2)];
    const { value, job } = after(...events);
    expect(value).toBe('launching');
    expect(job.members.find(({ providerId }) => providerId === provider(1))?.result).not.toBeNull();
    expect(job.enclaves).toHaveLength(3);
    expect(after(...events, attested(2)).value).toBe('running');
    expect(after(...events, attested(2), result(2)).value).toBe('proving');
  });

  test('news of the others is kept while it is replaced', () => {
    const { job } = after(...toLaunching, failed(0), attested(1), result(1));
    expect(job.members).toMatchObject([{ attested: true, result: { proofId: 'proof-1' } }]);
  });
});

describe('settled 38: a standby', () => {
  const asking = [...toLaunching, failed(0), formed(2, 1, 2)];

  test('is asked before it is launched, and then holds a deposit like a winner', () => {
    expect(after(...asking)).toMatchObject({ value: { forming: 'asking' } });
    const { value, job } = after(...asking, accepted(2));
    expect(value).toBe('launching');
    expect(job.deposits.map(({ bidId }) => bidId)).toEqual(['bid-1', 'bid-2']);
    expect(job.standbys).toMatchObject([{ bidId: 'bid-2', payment: '120' }]);
  });

  test('that declines makes room for the next, at fault in nothing', () => {
    const { value, job } = after(...asking, declined(2));
    expect(value).toEqual({ forming: 'replacing' });
    expect(memberIds(job)).toEqual([provider(1)]);
    expect(job.failed).toHaveLength(1);
    expect(job.enclaves).not.toContain(enclaveIdOf(JOB, provider(2)));
    expect(after(...asking, declined(2), formed(3, 1, 3)).value).toEqual({ forming: 'asking' });
    expect(after(...asking, declined(2), degraded(3, 1)).value).toBe('launching');
  });

  test('of several each is asked for itself; what one has accepted holds while another is looked for', () => {
    const two = [...toLaunching, failed(0), failed(1), formed(2, 2, 3)];
    expect(after(...two, accepted(2)).value).toEqual({ forming: 'asking' });
    expect(after(...two, accepted(2), accepted(3)).value).toBe('launching');
    const late = after(...two, declined(2), accepted(3));
    expect(late.value).toEqual({ forming: 'replacing' });
    expect(late.job.deposits.map(({ bidId }) => bidId)).toEqual(['bid-3']);
  });

  test('answers once, and only where it is asked', () => {
    const { state } = given(...asking);
    expect(state.can(accepted(1))).toBe(false);
    expect(state.can(accepted(3))).toBe(false);
    expect(given(...asking, accepted(2)).state.can(accepted(2))).toBe(false);
    expect(given(...asking, declined(2)).state.can(declined(2))).toBe(false);
    expect(given(...asking, declined(2)).state.can(formed(3, 1, 2))).toBe(false);
    expect(given(...asking, aborted).state.can(accepted(2))).toBe(false);
  });

  test('may be lost before it answers: it is a member like any other', () => {
    expect(after(...asking, failed(2)).value).toEqual({ forming: 'replacing' });
  });

  test('is not asked in streams of version 2', () => {
    const { given: givenV2 } = specify(machineDecider(jobMachineV2, decideV2));
    const { state } = givenV2(...asking);
    expect(state.value).toBe('launching');
    expect(state.can(accepted(2))).toBe(false);
  });
});

describe('a degraded quorum', () => {
  test('and a complete one may pay those who stay more than their award', () => {
    const raised = [{ ...winner(1), payment: toMicro('130') }];
    for (const event of [degraded(2, 1), formed(2, 1)]) {
      const { job } = after(...toLaunching, attested(1), failed(0), {
        ...event,
        members: raised,
      } as JobEvent);
      expect(job.members).toMatchObject([{ providerId: provider(1), payment: '130', attested: true }]);
    }
  });

  test.each<[string, readonly JobEvent[]]>([
    ['launching', [...toLaunching, failed(0)]],
    ['running', [...toLaunching, attested(1), failed(0)]],
    ['proving', [...toRunning, runStarted, result(1), failed(0)]],
  ])('goes on with %s', (value, events) => {
    const { value: next, job } = after(...events, degraded(2, 1));
    expect(next).toBe(value);
    expect(job).toMatchObject({ degraded: true, epoch: 2 });
  });
});

describe('two results that differ', () => {
  const tied = [...toRunning, runStarted, result(0), result(1, 'dd'), disagreed];

  test('ask for one more member, whose result decides', () => {
    expect(after(...tied)).toMatchObject({ value: { forming: 'adding' }, job: { deciderAsked: true } });
    expect(after(...tied, formed(2, 0, 1, 2)).value).toEqual({ forming: 'asking' });
    const decided = [...tied, formed(2, 0, 1, 2), accepted(2), attested(2), result(2)];
    expect(after(...decided).value).toBe('proving');
    expect(memberIds(after(...decided).job)).toEqual([0, 1, 2].map(provider));
  });

  test('are judged again when nobody else can be had', () => {
    expect(after(...tied, degraded(2, 0, 1)).value).toBe('proving');
  });
});

describe('what comes late', () => {
  test('is refused by the state: reports of strangers, second results, events of the past', () => {
    const running = given(...toRunning, runStarted, result(0)).state;
    expect(running.can(result(0))).toBe(false);
    expect(running.can(result(5))).toBe(false);
    expect(running.can(awarded)).toBe(false);
    expect(running.can(formed(1, 0, 1))).toBe(false);
    expect(given(...toProving).state.can(failed(0))).toBe(false);
    expect(given(...toSettling).state.can(aborted)).toBe(false);
  });
});
