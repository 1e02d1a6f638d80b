import { describe, expect, test } from 'vitest';
import { type AnyMachineSnapshot, type AnyStateMachine, getInitialSnapshot } from 'xstate';
import { applyEvent } from '../lifecycle.ts';
import { LIFECYCLES } from '../registry.ts';
import { addSeconds } from '../time.ts';
import { decide, decideV1, decideV2 } from './decide.ts';
import type { Enclave } from './enclave.ts';
import type { EnclaveAttested, EnclaveEvent } from './events.ts';
import { enclaveMachine, enclaveMachineV2 } from './machine.ts';
import { enclaveMachineV1 } from './machine-v1.ts';

const AT = '2026-01-01T00:00:00.000Z';
const after = (seconds: number): string => addSeconds(AT, seconds);

const requested: EnclaveEvent = {
  type: 'enclave.requested',
  machineVersion: 3,
  enclaveId: 'enclave-1',
  providerId: 'provider-1',
  owner: 'owner-1',
  submitter: 'subject-1',
  jobId: null,
  platform: 'amd_sev_snp',
  codeHash: 'aa',
  config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
  allowSimulated: true,
  requestedAt: AT,
  expiresAt: after(10_000),
};
const created: EnclaveEvent = { type: 'enclave.created', enclaveKey: 'bb' };
const facts = (nonce: string, attestedAt: string): Omit<EnclaveAttested, 'type'> => ({
  reportHash: 'cc',
  measurement: 'dd',
  nonce,
  label: 'simulated',
  steps: [],
  attestedAt,
  expiresAt: addSeconds(attestedAt, 800),
});
const attested: EnclaveEvent = { type: 'enclave.attested', ...facts('first', AT) };
const renewalStarted = (startedAt: string): EnclaveEvent => ({ type: 'enclave.renewal-started', startedAt });
const renewed = (attestedAt: string): EnclaveEvent => ({
  type: 'enclave.attestation-renewed',
  ...facts('second', attestedAt),
});
const runStarted = (startedAt: string): EnclaveEvent => ({
  type: 'enclave.run-started',
  work: { args: [], inputHash: 'ff', randomSeed: '00', clockStart: AT, timeLimitSeconds: 60 },
  startedAt,
});
const runFinished: EnclaveEvent = {
  type: 'enclave.run-finished',
  proof: { proofId: 'proof-1', record: {} as never },
  missedHeartbeats: 0,
  finishedAt: AT,
};

interface Act {
  readonly type: string;
  readonly params: { readonly id?: string; readonly sendId?: string; readonly delay?: number };
}

/** State after `events`, with what the last of them asked the host to do. */
const walk = (events: readonly EnclaveEvent[], machine: AnyStateMachine = enclaveMachine) => {
  let snapshot: AnyMachineSnapshot = getInitialSnapshot(machine);
  let acts: readonly Act[] = [];
  for (const event of events) {
    const [next, actions] = applyEvent(machine, snapshot, event);
    snapshot = next;
    acts = actions as unknown as readonly Act[];
  }
  const armed = new Map(
    acts.filter(({ type }) => type === 'xstate.raise').map(({ params }) => [params.id, params.delay]),
  );
  const started = acts.filter(({ type }) => type === 'xstate.spawnChild').map(({ params }) => params.id);
  const stopped = acts.filter(({ type }) => type === 'xstate.stopChild').map(({ params }) => params.id);
  const cancelled = acts.filter(({ type }) => type === 'xstate.cancel').map(({ params }) => params.sendId);
  return { snapshot, armed, started, stopped, cancelled };
};

const IDLE = [requested, created, attested];
const RUNNING = [...IDLE, runStarted(after(100))];
const context = { now: after(700), actor: 'engine' };
const renewal = { type: 'deadline', id: 'renewal', dueAt: after(700) } as const;

describe('the attestation of a live enclave', () => {
  test('is due for renewal after seven eighths of its term, counted from each state’s own start', () => {
    expect(walk(IDLE).armed).toEqual(
      new Map([
        ['expiry', 10_000_000],
        ['renewal', 700_000],
      ]),
    );
    const running = walk(RUNNING);
    expect(running.armed).toEqual(new Map([['renewal', 600_000]]));
    expect(running.cancelled).toEqual(expect.arrayContaining(['expiry', 'renewal']));
    // A run that begins when renewal was overdue renews at once.
    expect(walk([...IDLE, renewalStarted(after(700)), runStarted(after(750))]).armed).toEqual(
      new Map([['renewal', 0]]),
    );
  });

  test.each([
    ['idle', IDLE],
    ['running', RUNNING],
  ])('R38: is renewed by its deadline while the enclave is %s, and due again', (_, history) => {
    expect(decide(walk(history).snapshot as never, renewal, context)).toEqual({
      ok: true,
      events: [renewalStarted(after(700))],
    });
    const renewing = walk([...history, renewalStarted(after(700))]);
    expect(renewing.started).toEqual(['reattest']);
    expect(renewing.stopped).toEqual([]);
    expect(renewing.armed).toEqual(new Map());
    const done = walk([...history, renewalStarted(after(700)), renewed(after(701))]);
    expect(done.armed).toEqual(new Map([['renewal', 700_000]]));
    expect(done.snapshot.context).toMatchObject({
      attestation: { nonce: 'second', attestedAt: after(701), expiresAt: after(1501) },
      label: 'simulated',
      events: history.length + 2,
    });
  });

  test('the work goes on meanwhile, and its end stops the renewal', () => {
    const renewing = walk([...RUNNING, renewalStarted(after(700))]);
    expect(renewing.snapshot.value).toEqual({ running: 'renewing' });
    const finished = walk([...RUNNING, renewalStarted(after(700)), runFinished]);
    expect(finished.snapshot.value).toBe('finished');
    expect(finished.stopped).toContain('reattest');
    expect(finished.snapshot.can(renewed(after(701)))).toBe(false);
  });

  test('a run may begin during the renewal, whose late answer then no longer counts', () => {
    const begun = walk([...IDLE, renewalStarted(after(700)), runStarted(after(701))]);
    expect(begun.snapshot.value).toEqual({ running: 'valid' });
    expect(begun.stopped).toContain('reattest');
    expect(begun.snapshot.can(renewed(after(702)))).toBe(false);
  });

  test('a renewal that fails ends the enclave', () => {
    for (const history of [IDLE, RUNNING]) {
      const failed = walk([
        ...history,
        renewalStarted(after(700)),
        { type: 'enclave.failed', fault: 'attestation', code: 'ATTESTATION_FAILED', message: '', steps: [] },
      ]);
      expect(failed.snapshot.value).toBe('destroying');
      expect(failed.started).toEqual(['destroy']);
    }
  });

  test('is not renewed twice at once, nor after the end', () => {
    for (const history of [[...IDLE, renewalStarted(after(700))], [...RUNNING, runFinished], [requested]])
      expect(decide(walk(history).snapshot as never, renewal, context)).toMatchObject({
        ok: false,
        code: 'CONFLICT',
      });
  });
});

describe('a stream of version 1', () => {
  const first = { ...requested, machineVersion: 1 };

  test('keeps its machine: no renewal, and its expiry still ends it', () => {
    const idle = walk([first, created, attested], enclaveMachineV1);
    expect(idle.armed).toEqual(new Map([['expiry', 10_000_000]]));
    expect(idle.snapshot.can(renewalStarted(after(700)))).toBe(false);
    expect(decideV1(idle.snapshot as never, renewal, context)).toMatchObject({ ok: false, code: 'CONFLICT' });
    expect(decideV1(idle.snapshot as never, { ...renewal, id: 'expiry' }, context)).toMatchObject({
      ok: true,
      events: [{ type: 'enclave.failed', fault: 'stopped', message: 'expired' }],
    });
  });

  test('and one of version 2 write their own version, and the family has all', () => {
    const initial = getInitialSnapshot(enclaveMachineV1);
    const {
      type: _,
      machineVersion: __,
      requestedAt: ___,
      expiresAt: ____,
      ...asked
    } = requested as never as {
      type: string;
      machineVersion: number;
      requestedAt: string;
      expiresAt: string;
    };
    const command = { type: 'create', ...asked, lifetimeSeconds: 10_000 } as never;
    expect(decideV1(initial, command, { now: AT, actor: 'engine' })).toEqual({ ok: true, events: [first] });
    const second = decideV2(getInitialSnapshot(enclaveMachine), command, { now: AT, actor: 'engine' });
    expect(second).toEqual({ ok: true, events: [{ ...first, machineVersion: 2 }] });
    expect(Object.keys(LIFECYCLES.enclave.versions)).toEqual(['1', '2', '3', '4']);
    expect(LIFECYCLES.enclave.current).toBe(4);
  });
});

test('settled 43: a run is measured by the engine’s clock, from its start to the event of its end', () => {
  const began = after(5);
  const finished: EnclaveEvent = { ...runFinished, missedInAll: 4, finishedAt: after(25) };
  const history = [requested, created, attested, runStarted(began), finished];
  const resultIn = (machine: AnyStateMachine) =>
    (
      history.reduce<AnyMachineSnapshot>(
        (snapshot, event) => applyEvent(machine, snapshot, event)[0],
        getInitialSnapshot(machine),
      ).context as Enclave
    ).result;
  expect(resultIn(enclaveMachine)).toMatchObject({
    startedAt: began,
    finishedAt: after(25),
    missedHeartbeats: 0,
    missedInAll: 4,
  });
  expect(resultIn(enclaveMachineV2)).toEqual({ proof: finished.proof, missedHeartbeats: 0 });
});
