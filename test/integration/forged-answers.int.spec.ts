import { randomBytes } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CreateEnclave } from '../../domain/enclave/commands.ts';
import type { Enclave } from '../../domain/enclave/enclave.ts';
import type { EnclaveEvent } from '../../domain/enclave/events.ts';
import { FORGED_FAILURE } from '../../domain/ports/seals.ts';
import { silentEffects } from '../support/commands/given.ts';
import { type Engine, metaOf, now, startEngine } from '../support/engine.ts';
import { arriveAtTemporal, type Stranger } from '../support/stranger.ts';

/** One attempt of an activity that creates an enclave, until the test says what came of it. */
interface Attempt {
  readonly activityId: string;
  answer(events: readonly EnclaveEvent[]): void;
  fail(error: Error): void;
}

let stranger: Stranger;
let engine: Engine;
const attempts = new Map<string, Attempt[]>();

beforeAll(async () => {
  engine = await startEngine({
    activities: () => ({
      ...silentEffects(),
      'enclave.createOnNode': ({ enclave }: { readonly enclave: Enclave }) =>
        new Promise<readonly EnclaveEvent[]>((answer, fail) => {
          const { activityId, isLocal } = Context.current().info;
          if (isLocal) throw new Error('what runs in the worker itself no stranger reaches');
          const made = attempts.get(enclave.enclaveId) ?? [];
          attempts.set(enclave.enclaveId, [...made, { activityId, answer, fail }]);
        }),
    }),
  });
  stranger = await arriveAtTemporal();
});
afterAll(async () => {
  for (const each of [...attempts.values()].flat()) each.answer([]);
  await engine.stop();
  await stranger.close();
});

const WAIT = { timeout: 20_000 };
const SCHEDULE_TO_CLOSE = 3;
const HEX = 'ab'.repeat(32);
const CREATED: EnclaveEvent = { type: 'enclave.created', enclaveKey: HEX };
const typesOf = async (stream: string) => (await engine.store.readStream(stream)).map(({ type }) => type);

const openEnclave = async (): Promise<string> => {
  const enclaveId = `enclave-${randomBytes(8).toString('hex')}`;
  const create: CreateEnclave = {
    type: 'create',
    enclaveId,
    providerId: 'provider-1',
    owner: 'owner',
    submitter: 'subject-submitter',
    jobId: 'job-1',
    platform: 'amd_sev_snp',
    codeHash: HEX,
    config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
    allowSimulated: true,
    lifetimeSeconds: 3600,
  };
  const opened = await engine.lifecycles.open('enclave', enclaveId, create, metaOf(`${enclaveId}/open`));
  expect(opened).toMatchObject({ ok: true });
  return enclaveId;
};

/** The `count`th attempt, as soon as there is one. */
const attempt = async (enclaveId: string, count: number): Promise<Attempt> => {
  await expect.poll(() => attempts.get(enclaveId)?.length, WAIT).toBe(count);
  return attempts.get(enclaveId)?.[count - 1] as Attempt;
};

/** The activity itself answers now: its answer counts, and was the only one. */
const livesOn = async (enclaveId: string, next: Attempt): Promise<void> => {
  const before = await typesOf(enclaveId);
  expect(before).not.toContain('enclave.created');
  expect(before).not.toContain('enclave.failed');
  next.answer([CREATED]);
  await expect.poll(() => typesOf(enclaveId), WAIT).toEqual([...before, 'enclave.created']);
};

test('an activity that a stranger completes is asked again', async () => {
  const enclaveId = await openEnclave();
  const { activityId } = await attempt(enclaveId, 1);
  await stranger.client.activity.complete({ workflowId: enclaveId, activityId }, [
    { type: 'enclave.created', enclaveKey: 'cd'.repeat(32) },
  ]);
  const second = await attempt(enclaveId, 2);
  await stranger.client.activity.complete({ workflowId: enclaveId, activityId: second.activityId }, null);
  await livesOn(enclaveId, await attempt(enclaveId, 3));
});

test('an activity that a stranger lets fail for good is asked again, with a failure it has overheard as well', async () => {
  const enclaveId = await openEnclave();
  const place = async (count: number) => {
    const { activityId } = await attempt(enclaveId, count);
    return { workflowId: enclaveId, activityId };
  };
  const { fail } = await attempt(enclaveId, 1);
  const { activity, workflow, connection } = stranger.client;
  await activity.fail(await place(1), ApplicationFailure.nonRetryable('the node is a fraud'));

  // A true attempt fails, to be repeated.
  (await attempt(enclaveId, 2)).fail(new Error('out of reach for a moment'));
  const third = await place(3);
  const { raw } = await workflow.getHandle(enclaveId).describe();
  const [pending] = raw.pendingActivities ?? [];
  const overheard = pending?.lastFailure;
  expect(overheard?.applicationFailureInfo?.details).toBeTruthy();
  await connection.workflowService.respondActivityTaskFailedById({
    ...third,
    namespace: 'default',
    failure: {
      ...overheard,
      applicationFailureInfo: { ...overheard?.applicationFailureInfo, nonRetryable: true },
    },
  });
  // Failures that only Temporal itself has a reason to tell of.
  const others = [
    { timeoutFailureInfo: { timeoutType: SCHEDULE_TO_CLOSE } },
    { canceledFailureInfo: {} },
    { terminatedFailureInfo: {} },
    { serverFailureInfo: { nonRetryable: true } },
  ];
  for (const [index, failure] of others.entries())
    await connection.workflowService.respondActivityTaskFailedById({
      ...(await place(4 + index)),
      namespace: 'default',
      failure: { ...failure, message: 'says a stranger' },
    });
  await livesOn(enclaveId, await attempt(enclaveId, 4 + others.length));
  fail(new Error('nobody waits for the first attempt'));
});

test('an activity that fails for good itself is believed', async () => {
  const enclaveId = await openEnclave();
  (await attempt(enclaveId, 1)).fail(ApplicationFailure.nonRetryable('no such node'));
  await expect.poll(() => typesOf(enclaveId), WAIT).toContain('enclave.failed');
  const events = await engine.store.readStream(enclaveId);
  expect(events.find(({ type }) => type === 'enclave.failed')?.data).toMatchObject({
    message: 'no such node',
  });
});

test('an activity does nothing that no workflow has asked it for', async () => {
  const stream = `auction-${randomBytes(8).toString('hex')}`;
  const context = {
    occurredAt: now(),
    actor: 'engine',
    correlationId: stream,
    causationId: stream,
    traceparent: null,
  };
  const request = {
    stream,
    expectedRevision: -1,
    batches: [{ context, events: [{ type: 'auction.failed', failedAt: now() }], entries: [] }],
    origin: { workflowId: stream, runId: null },
  };
  for (const args of [[request], [request, { activity: 'journal.append', cause: stream }], []])
    expect(await stranger.haveDone('journal.append', engine.taskQueue, args)).toMatchObject({
      applicationFailureInfo: { type: FORGED_FAILURE },
    });
  expect(await engine.store.readStream(stream)).toEqual([]);
});
