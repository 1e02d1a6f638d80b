import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Enclave } from '../domain/enclave/enclave.ts';
import type { WorkOrder } from '../domain/enclave/events.ts';
import { measurementOf, moduleSha384, reportData } from '../domain/enclave/measurement.ts';
import type { NodeRequest } from '../domain/mesh/messages.ts';
import { createMemoryEventStore } from '../infra/event-store/memory/store.ts';
import { createAttestationJudge } from '../infra/providers/attestation-judge.ts';
import { evidenceOf } from '../infra/tee/index.ts';
import * as executed from '../test/support/execution-proof.ts';
import { assembleTestModule } from '../test/workloads/assemble.ts';
import { simulatedMachine } from '../test/workloads/simulated-machine.ts';
import { createEnclaveActivities, type EnclaveDeps } from './enclave.ts';

const NOW = '2026-03-01T12:00:00.000Z';
const KEY = 'c0'.repeat(32);
const MODULE = await assembleTestModule('exit-3');
const INPUT = new Uint8Array();
const machine = simulatedMachine(NOW);

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const enclave = {
  enclaveId: 'enclave-1',
  providerId: 'provider-1',
  codeHash: sha256(MODULE),
  config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
  allowSimulated: true,
  enclaveKey: KEY,
} as Enclave;

const work: WorkOrder = {
  args: [],
  inputHash: sha256(INPUT),
  randomSeed: '00'.repeat(32),
  clockStart: NOW,
  timeLimitSeconds: 1,
};
const running: Enclave = { ...enclave, work };

type Reply = (request: Extract<NodeRequest, { type: 'attest-enclave' }>) => Promise<unknown>;

/** A node that reports on its enclave, bound to `nonce`. */
const reporting =
  (nonceOf = (nonce: string) => nonce): Reply =>
  async ({ nonce }) => ({
    type: 'attestation',
    enclaveKey: KEY,
    evidence: evidenceOf(
      machine.platform,
      await machine.platform.quote({
        measurement: measurementOf(moduleSha384(MODULE), enclave.config),
        reportData: reportData(nonceOf(nonce), KEY),
      }),
    ),
  });

/** What the engine can hand out. */
const STORED = new Map([MODULE, INPUT].map((bytes) => [sha256(bytes), bytes]));

const activitiesWith = (reply: Reply, stored: ReadonlyMap<string, Uint8Array> = STORED) => {
  const used: string[] = [];
  const artifacts = { read: async (hash: string) => stored.get(hash) ?? null } as never;
  const activities = createEnclaveActivities({
    ask: async (_: string, request: NodeRequest) => ({
      reply: await reply(request as never),
      missedHeartbeats: 0,
    }),
    artifacts,
    nonces: {
      use: async (nonce: string) => {
        used.push(nonce);
        return true;
      },
      isUsed: async (nonce: string) => used.includes(nonce),
    },
    judge: createAttestationJudge({ artifacts, roots: machine.roots, now: () => NOW }),
    roots: machine.roots,
    now: () => NOW,
  } as unknown as EnclaveDeps);
  return { activities, used };
};

describe('attesting an enclave', () => {
  test('R38: each report is under a nonce of its own, the first and the renewed one', async () => {
    const { activities, used } = activitiesWith(reporting());
    const [first] = await activities['enclave.attest']({ enclave });
    const [second] = await activities['enclave.reattest']({ enclave });
    const term = { label: 'simulated', attestedAt: NOW, expiresAt: '2026-03-02T12:00:00.000Z' };
    expect(first).toMatchObject({ type: 'enclave.attested', nonce: used[0], ...term });
    expect(second).toMatchObject({ type: 'enclave.attestation-renewed', nonce: used[1], ...term });
    expect(new Set(used).size).toBe(2);
  });

  test('a replayed report and another key are the node’s fault, simulated hardware where real is wanted is not', async () => {
    const replayed = activitiesWith(reporting(() => 'ab'.repeat(32))).activities;
    const honest = activitiesWith(reporting()).activities;
    const demanding = { ...enclave, allowSimulated: false };
    for (const [run, fault, message] of [
      [() => replayed['enclave.reattest']({ enclave }), 'attestation', 'report-data: REPORT_DATA_MISMATCH'],
      [
        () => honest['enclave.reattest']({ enclave: { ...enclave, enclaveKey: 'd0'.repeat(32) } }),
        'attestation',
        'the report is for another enclave key',
      ],
      [
        () => replayed['enclave.attest']({ enclave: demanding }),
        'attestation',
        'report-data: REPORT_DATA_MISMATCH',
      ],
      [() => honest['enclave.attest']({ enclave: demanding }), 'stopped', 'platform: SIMULATED_PLATFORM'],
    ] as const)
      expect(await run()).toMatchObject([
        { type: 'enclave.failed', fault, code: 'ATTESTATION_FAILED', message },
      ]);
  });

  test('silence is a no-show at first, and a crash when an attested enclave falls silent', async () => {
    const { activities } = activitiesWith(async () => ({ type: 'silent', message: 'no answer' }));
    expect(await activities['enclave.attest']({ enclave })).toMatchObject([
      { fault: 'no-show', code: 'TEE_UNAVAILABLE' },
    ]);
    expect(await activities['enclave.reattest']({ enclave })).toMatchObject([
      { fault: 'lost', code: 'RESOURCE_UNAVAILABLE', message: 'no answer' },
    ]);
    const forgetful = activitiesWith(async () => ({
      type: 'refused',
      code: 'RESOURCE_NOT_FOUND',
      message: 'gone',
    }));
    expect(await forgetful.activities['enclave.reattest']({ enclave })).toMatchObject([{ fault: 'lost' }]);
  });

  test.each([
    ['RESOURCE_NOT_FOUND', 'lost', 'refusal'],
    ['RESOURCE_UNAVAILABLE', 'lost', 'declared'],
    ['CONFLICT', 'lost', 'lost'],
    ['INVALID_REQUEST', 'refusal', 'refusal'],
  ])('%s of a launched enclave is %s, of one to be launched %s', async (code, fault, before) => {
    const { activities } = activitiesWith(async () => ({ type: 'refused', code, message: 'so it is' }));
    const says = (fault: string) => [
      { type: 'enclave.failed', fault, cause: 'node', code, message: 'so it is' },
    ];
    expect(await activities['enclave.attest']({ enclave })).toMatchObject(says(fault));
    expect(await activities['enclave.reattest']({ enclave })).toMatchObject(says(fault));
    expect(await activities['enclave.runOnNode']({ enclave: running })).toMatchObject(says(fault));
    expect(await activities['enclave.createOnNode']({ enclave })).toMatchObject(says(before));
  });

  test('what the engine ordered wrongly, or could not hand out, is nobody’s evidence', async () => {
    const refusing = (stored?: ReadonlyMap<string, Uint8Array>) =>
      activitiesWith(
        async () => ({ type: 'refused', code: 'INVALID_REQUEST', message: 'the enclave cannot do this' }),
        stored,
      ).activities;
    const ordered = (change: Partial<WorkOrder>) =>
      refusing()['enclave.runOnNode']({ enclave: { ...running, work: { ...work, ...change } } });
    expect(await ordered({ args: ['a\0b'] })).toMatchObject([
      {
        fault: 'stopped',
        cause: 'submitter',
        message: 'the order breaks a rule: work.args.0: no character U+0000',
      },
    ]);
    expect(await ordered({ timeLimitSeconds: 2_592_000 })).toMatchObject([
      { fault: 'stopped', cause: 'submitter' },
    ]);
    const tooLarge = { ...enclave, config: { ...enclave.config, memoryMb: 10_000 } };
    expect(await refusing()['enclave.createOnNode']({ enclave: tooLarge })).toMatchObject([
      { fault: 'stopped', cause: 'submitter' },
    ]);
    const text = Buffer.from('no module');
    const broken = { ...enclave, codeHash: sha256(text) };
    const holding = refusing(new Map([[sha256(text), text]]));
    expect(await holding['enclave.createOnNode']({ enclave: broken })).toMatchObject([
      { fault: 'stopped', cause: 'module' },
    ]);
    for (const stored of [new Map(), new Map([[sha256(MODULE), MODULE]])])
      expect(await refusing(stored)['enclave.runOnNode']({ enclave: running })).toMatchObject([
        { fault: 'stopped', cause: 'engine' },
      ]);
  });
});

describe('settled 40: a run out of time', () => {
  /** An order for a minute, of a hundred units of fuel a second. */
  const order: WorkOrder = {
    ...work,
    args: ['a'],
    inputHash: '00'.repeat(32),
    timeLimitSeconds: 60,
    fuelLimit: 6000,
  };
  const busy: Enclave = { ...enclave, jobId: 'job-1', enclaveKey: executed.enclaveKey, work: order };

  const outOfTime = async (probedFuelPerSecond: number, wallMs = 60_001) => {
    const proof = executed.proofOf({
      outcome: 'time_limit',
      exitCode: null,
      fuel: { used: null, limit: 6000 },
      resources: { cpuMs: 59_000, wallMs, peakMemoryBytes: 65_536, probedFuelPerSecond },
    });
    const activities = createEnclaveActivities({
      ask: async () => ({ reply: { type: 'run-finished', proof }, missedHeartbeats: 0, missedInAll: 0 }),
      store: createMemoryEventStore(),
      artifacts: { read: async () => executed.MODULE },
      meteringOf: async () => ({ ok: true, value: { metering: executed.METERING } }),
      nonces: { isUsed: async (nonce: string) => nonce === executed.NONCE },
      roots: executed.machine.roots,
      now: () => NOW,
    } as unknown as EnclaveDeps);
    const [event] = await activities['enclave.runOnNode']({ enclave: busy });
    return event;
  };

  test('is the module’s doing where the machine was as fast as promised, and its node’s where it was not', async () => {
    expect(await outOfTime(100)).toMatchObject({
      type: 'enclave.run-finished',
      proof: { record: { outcome: 'time_limit' } },
    });
    expect(await outOfTime(99)).toMatchObject({
      type: 'enclave.failed',
      fault: 'lost',
      cause: 'node',
      message: expect.stringContaining('went at 99 units of fuel a second where 100 were promised') as string,
    });
  });

  test('a node that had the enclave stop early did not deliver', async () => {
    expect(await outOfTime(100, 59_900)).toMatchObject({ fault: 'lost', cause: 'node' });
  });
});
