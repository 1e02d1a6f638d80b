import { describe, expect, test } from 'vitest';
import { machineDecider, specify } from '../../test/support/decider.ts';
import { addSeconds } from '../time.ts';
import type { CreateEnclave, EnclaveCommand } from './commands.ts';
import { decide, decideV2 } from './decide.ts';
import { type EnclaveEvent, type EnclaveFault, PLATFORMS, type WorkOrder } from './events.ts';
import { ENCLAVE_LIMITS } from './limits.ts';
import { enclaveMachine } from './machine.ts';

const { given } = specify(machineDecider(enclaveMachine, decide));

const AT = '2026-01-01T00:00:00.000Z';

const create: CreateEnclave = {
  type: 'create',
  enclaveId: 'enclave-1',
  providerId: 'provider-1',
  owner: 'owner-1',
  submitter: 'subject-1',
  jobId: 'job-1',
  platform: 'amd_sev_snp',
  codeHash: 'aa',
  config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
  allowSimulated: true,
  lifetimeSeconds: 600,
};

const requested: EnclaveEvent = (() => {
  const { type: _, lifetimeSeconds: __, ...facts } = create;
  return {
    type: 'enclave.requested',
    machineVersion: 4,
    ...facts,
    requestedAt: AT,
    expiresAt: addSeconds(AT, 600),
  };
})();
const created: EnclaveEvent = { type: 'enclave.created', enclaveKey: 'bb' };
const attested: EnclaveEvent = {
  type: 'enclave.attested',
  reportHash: 'cc',
  measurement: 'dd',
  nonce: 'ee',
  label: 'simulated',
  steps: [{ step: 'signature', ok: true, code: 'OK' }],
  attestedAt: AT,
  expiresAt: addSeconds(AT, 86_400),
};
const work: WorkOrder = {
  args: ['--all'],
  inputHash: 'ff',
  randomSeed: '00',
  clockStart: AT,
  timeLimitSeconds: 60,
};
const runStarted: EnclaveEvent = { type: 'enclave.run-started', work, startedAt: AT };
const runFinished: EnclaveEvent = {
  type: 'enclave.run-finished',
  proof: { proofId: 'proof-1', record: {} as never },
  missedHeartbeats: 1,
  finishedAt: AT,
};
const failed = (fault: EnclaveFault): EnclaveEvent => ({
  type: 'enclave.failed',
  fault,
  code: 'TEE_UNAVAILABLE',
  message: fault,
  steps: [],
});
const stopped = (message: string): EnclaveEvent => ({
  type: 'enclave.failed',
  fault: 'stopped',
  code: 'CONFLICT',
  message,
  steps: [],
  endedAt: AT,
});
const destroyed: EnclaveEvent = { type: 'enclave.destroyed', reason: 'work done', confirmed: true };

const run: EnclaveCommand = { type: 'run', work };
const destroy: EnclaveCommand = { type: 'destroy', reason: 'the job failed' };
const expiry: EnclaveCommand = { type: 'deadline', id: 'expiry', dueAt: addSeconds(AT, 600) };

/** Every state by the history that leads to it. */
const HISTORIES: Readonly<Record<string, readonly EnclaveEvent[]>> = {
  initializing: [requested],
  created: [requested, created],
  attested: [requested, created, attested],
  running: [requested, created, attested, runStarted],
  finished: [requested, created, attested, runStarted, runFinished],
  destroying: [requested, failed('refusal')],
  terminated: [requested, created, attested, runStarted, runFinished, destroyed],
  error: [requested, failed('refusal'), destroyed],
};
const named = (...names: readonly string[]) =>
  names.map((state) => ({ state, history: HISTORIES[state] ?? [] }));
const ALIVE = ['initializing', 'created', 'attested', 'running'];

describe('creating', () => {
  test('requests it with a term', () => {
    given().when(create, { now: AT }).then(requested);
  });

  test('settled 41: is rented where no job pays for it', () => {
    const { rent } = given()
      .when({ ...create, jobId: null }, { now: AT })
      .thenState().context;
    expect(rent).toEqual({ hourly: '500000', held: '83334' });
    const begun = specify(machineDecider(enclaveMachine, decideV2)).given();
    expect(begun.when({ ...create, jobId: null }, { now: AT }).thenState().context.rent).toBeUndefined();
  });

  test('is refused on a platform that no node offers', () => {
    for (const platform of PLATFORMS.filter((name) => name !== 'amd_sev_snp'))
      given()
        .when({ ...create, platform }, { now: AT })
        .thenRejects('UNSUPPORTED_PLATFORM', new RegExp(platform), [
          { field: 'platform', rule: 'one of the platforms a node offers: amd_sev_snp' },
        ]);
  });

  test.each([
    ['memory_mb', 'memoryMb', ENCLAVE_LIMITS.memoryMb],
    ['cpu_cores', 'cpuCores', ENCLAVE_LIMITS.cpuCores],
  ] as const)('bounds %s', (field, name, { min, max }) => {
    const ask = (value: number) =>
      given().when({ ...create, config: { ...create.config, [name]: value } }, { now: AT });
    expect(ask(min).thenState().value).toBe('initializing');
    expect(ask(max).thenState().value).toBe('initializing');
    const rule = [{ field, rule: `an integer from ${min} to ${max}` }];
    for (const wrong of [min - 1, max + 1, 1.5]) ask(wrong).thenRejects('INVALID_REQUEST', /larger/, rule);
  });

  test('happens once', () => {
    given(requested)
      .when(create, { now: AT })
      .thenRejects('CONFLICT', /exists already/);
  });
});

describe('running', () => {
  test('takes one piece of work once attested', () => {
    given(...(HISTORIES['attested'] ?? []))
      .when(run, { now: AT })
      .then(runStarted);
  });

  test.each(named('initializing', 'created', 'running', 'finished', 'destroying', 'terminated', 'error'))(
    'is refused when $state',
    ({ state, history }) => {
      given(...history)
        .when(run, { now: AT })
        .thenRejects('CONFLICT', new RegExp(`${state}, not attested`));
    },
  );
});

describe('stopping', () => {
  test.each(named(...ALIVE))('an enclave that is $state is nobody’s fault', ({ history }) => {
    given(...history)
      .when(destroy, { now: AT })
      .then(stopped('the job failed'));
    given(...history)
      .when(expiry, { now: AT })
      .then(stopped('expired'));
  });

  test.each(named('finished', 'destroying', 'terminated', 'error'))(
    'is refused when $state',
    ({ state, history }) => {
      given(...history)
        .when(destroy)
        .thenRejects('CONFLICT', new RegExp(state));
      given(...history)
        .when(expiry)
        .thenRejects('CONFLICT');
    },
  );
});

describe('R39: whatever goes wrong, it is destroyed before anybody is told', () => {
  test.each(named(...ALIVE))('when $state', ({ history }) => {
    const failing = given(...history, failed('lost')).state;
    expect(failing.value).toBe('destroying');
    expect(failing.hasTag('report')).toBe(false);
    const end = given(...history, failed('lost'), destroyed).state;
    expect(end.value).toBe('error');
    expect(end.hasTag('report')).toBe(true);
  });

  test.each(named(...ALIVE))('the failure cites its own revision when $state', ({ history }) => {
    const { context } = given(...history, failed('attestation')).state;
    expect(context.failure).toMatchObject({ fault: 'attestation', revision: history.length });
  });

  test('a finished run is told, then destroyed', () => {
    expect(given(...(HISTORIES['finished'] ?? [])).state.hasTag('report')).toBe(true);
    expect(given(...(HISTORIES['terminated'] ?? [])).state.value).toBe('terminated');
  });
});
