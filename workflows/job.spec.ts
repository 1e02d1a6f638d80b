import { afterEach, expect, test, vi } from 'vitest';
import type { EnclaveFault, FaultCause } from '../domain/enclave/events.ts';
import type { Report } from '../domain/ports/lifecycles.ts';
import { jobLifecycle } from './job.ts';
import { type ActivityEffect, lifecycleAt } from './lifecycle.ts';

const job = lifecycleAt(jobLifecycle, 1);

afterEach(() => {
  vi.useRealTimers();
});

test('a job whose settlement fails for good fails then, not when it was submitted', () => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:10:00.000Z') });
  const settle = job.effects['settle'] as ActivityEffect<never>;
  expect(settle.failed({} as never, 'the ledger is gone')).toEqual([
    {
      type: 'job.failed',
      reason: 'INTERNAL_ERROR',
      message: 'the ledger is gone',
      payouts: [],
      price: '0',
      failedAt: '2026-01-01T00:10:00.000Z',
    },
  ]);
});

test.each<[EnclaveFault, string, boolean]>([
  ['refusal', 'bid-1', true],
  ['attestation', 'bid-1', true],
  ['lost', 'bid-1', false],
  ['stopped', 'bid-1', false],
  ['attestation', 'bid-2', false],
])(
  '%s of the member behind %s: slashed is %s, as the deposit of bid-1 alone is held',
  (fault, bidId, slashed) => {
    const report = {
      aggregate: 'enclave',
      stream: 'enclave-1',
      body: {
        enclaveId: 'enclave-1',
        providerId: 'provider-1',
        failure: { fault, message: 'so', revision: 2 },
      },
    } as unknown as Report;
    const state = {
      members: [{ enclaveId: 'enclave-1', bidId, owner: 'subject-1' }],
      deposits: [{ bidId: 'bid-1', owner: 'subject-1' }],
    };
    expect(job.onReport?.(report, state as never)).toMatchObject([
      { type: 'job.member-failed', fault, slashed, evidenceId: 'enclave-1@2' },
    ]);
  },
);

test.each<[EnclaveFault, { deposit: boolean; attested: boolean; cause?: FaultCause }, object]>([
  ['declared', { deposit: true, attested: false }, { fault: 'declared', slashed: true, forfeit: '100' }],
  ['no-show', { deposit: true, attested: false }, { fault: 'no-show', slashed: true, forfeit: '250' }],
  ['lost', { deposit: true, attested: true }, { fault: 'lost', slashed: true, forfeit: '250' }],
  ['refusal', { deposit: true, attested: false }, { fault: 'refusal', slashed: true, forfeit: '500' }],
  ['attestation', { deposit: true, attested: true }, { fault: 'attestation', slashed: true, forfeit: '500' }],
  ['stopped', { deposit: true, attested: true }, { fault: 'stopped', slashed: false }],
  // Nothing where the node was not the cause (settled 40).
  ['lost', { deposit: true, attested: true, cause: 'engine' }, { cause: 'engine', slashed: false }],
  // A standby is free to decline, and bound once it has launched (settled 38).
  [
    'declared',
    { deposit: false, attested: false },
    { fault: 'stopped', slashed: false, message: 'declined: so' },
  ],
  ['lost', { deposit: false, attested: true }, { fault: 'lost', slashed: false }],
])('settled 39: %s of a member with %j', (fault, { deposit, attested, cause }, event) => {
  const report = {
    aggregate: 'enclave',
    stream: 'enclave-1',
    body: {
      enclaveId: 'enclave-1',
      providerId: 'provider-1',
      failure: { fault, ...(cause && { cause }), message: 'so', revision: 2 },
    },
  } as unknown as Report;
  const state = {
    ceiling: '1000',
    members: [{ enclaveId: 'enclave-1', bidId: 'bid-1', owner: 'subject-1', attested }],
    deposits: deposit ? [{ bidId: 'bid-1', owner: 'subject-1' }] : [],
  };
  const [failed] = lifecycleAt(jobLifecycle, 2).onReport?.(report, state as never) ?? [];
  expect(failed).toMatchObject({ type: 'job.member-failed', evidenceId: 'enclave-1@2', ...event });
  expect('forfeit' in (failed ?? {})).toBe('forfeit' in event);
});

test('settled 43: what a node says of its times is shown, never believed', () => {
  const record = {
    outcome: 'exited',
    exitCode: 0,
    outputHash: 'aa',
    finishedAt: 'as the node says',
    version: 1,
  };
  const result = {
    proof: { proofId: 'proof-1', record },
    missedHeartbeats: 1,
    missedInAll: 4,
    startedAt: 'begun',
    finishedAt: 'as the engine logged',
  };
  const report = {
    aggregate: 'enclave',
    stream: 'enclave-1',
    body: { enclaveId: 'enclave-1', providerId: 'provider-1', result, failure: null },
  } as unknown as Report;
  const state = { members: [{ enclaveId: 'enclave-1' }] } as never;
  const at = (version: number) => lifecycleAt(jobLifecycle, version).onReport?.(report, state);
  expect(at(2)).toMatchObject([
    { missedHeartbeats: 1, missedInAll: 4, startedAt: 'begun', finishedAt: 'as the engine logged' },
  ]);
  expect(at(1)).toMatchObject([{ missedHeartbeats: 1, finishedAt: 'as the node says' }]);
});

test('a quorum that was dissolved says nothing of its members any more', () => {
  const body = { epoch: 1, members: [{}], requiredUp: 1, violations: [] };
  const report = { aggregate: 'quorum', stream: 'quorum-1', body } as unknown as Report;
  const told = (state: string) => job.onReport?.({ ...report, state }, {} as never);
  expect(told('dissolved')).toEqual([]);
  expect(told('degraded')).toMatchObject([{ type: 'job.quorum-degraded' }]);
});
