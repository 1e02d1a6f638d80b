import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OpenAuction } from '../../domain/auction/commands.ts';
import type { AuctionEvent, AuctionOpened } from '../../domain/auction/events.ts';
import { domainEventOf, type RecordedEvent } from '../../domain/event.ts';
import type { JobEvent } from '../../domain/job/events.ts';
import { quorumIdOf } from '../../domain/job/job.ts';
import { LEDGER_STREAM, type LedgerEvent } from '../../domain/ledger/events.ts';
import { emptyLedger, foldLedger, total } from '../../domain/ledger/fold.ts';
import { toMicro } from '../../domain/money.ts';
import { checkLiveState } from '../../infra/audit/live-state.ts';
import { bidOn, newJob, wholeJobEffects } from '../support/commands/whole-job.ts';
import { type Engine, metaOf, startEngine } from '../support/engine.ts';

let engine: Engine;
let release: (() => void)[] = [];
/** Runs on nodes wait until they are released. */
const mayFinish = (): Promise<void> => new Promise((resolve) => release.push(resolve));
const finishRuns = (): void => {
  for (const finish of release) finish();
  release = [];
};

beforeAll(async () => {
  engine = await startEngine({ activities: () => wholeJobEffects(() => engine, mayFinish) });
});
afterAll(async () => {
  finishRuns();
  await engine?.stop();
});

const WAIT = { timeout: 30_000, interval: 100 };

const eventsOf = (stream: string): Promise<RecordedEvent[]> => engine.store.readStream(stream);
const typesOf = async (stream: string) => (await eventsOf(stream)).map(({ type }) => type);

/** Ids of the tasks after which a run can be started anew, first to last. */
const resetPoints = async (stream: string) => {
  const { events } = await engine.client.workflow.getHandle(stream).fetchHistory();
  return (events ?? []).flatMap(({ eventId, workflowTaskCompletedEventAttributes }) =>
    workflowTaskCompletedEventAttributes && eventId ? [eventId] : [],
  );
};
type Points = Awaited<ReturnType<typeof resetPoints>>;

/** Starts the run of `stream` anew from one of its tasks: what came later is forgotten, but for signals and updates. */
const reset = async (stream: string, point: (points: Points) => Points[0] | undefined) => {
  const { runId } = await engine.client.workflow.getHandle(stream).describe();
  const taskId = point(await resetPoints(stream));
  if (!taskId) throw new Error(`${stream} has no such task`);
  const response = await engine.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: stream, runId },
    reason: 'test',
    workflowTaskFinishEventId: taskId,
    requestId: randomBytes(16).toString('hex'),
  });
  expect(response.runId).not.toBe(runId);
};

/** A job whose member is at work. */
const runningJob = async () => {
  const command = await newJob(engine);
  const { jobId, auctionId, submitter } = command;
  const meta = { ...metaOf(`${jobId}/submit`, submitter), correlationId: jobId };
  expect(await engine.lifecycles.open('job', jobId, command, meta)).toMatchObject({ ok: true });
  await expect.poll(() => typesOf(auctionId), WAIT).toContain('auction.opened');
  await bidOn(engine, auctionId);
  await expect.poll(() => typesOf(jobId), WAIT).toContain('job.run-started');
  await expect.poll(() => release.length, WAIT).toBeGreaterThan(0);
  const [enclaveId] = (await eventsOf(jobId)).flatMap((event) => {
    const told = domainEventOf<JobEvent>(event);
    return told.type === 'job.enclave-attested' ? [told.enclaveId] : [];
  });
  return { jobId, auctionId, quorumId: quorumIdOf(jobId), enclaveId: enclaveId as string };
};

const JOB = [
  'job.submitted',
  'job.auction-opened',
  'job.auction-awarded',
  'job.quorum-formed',
  'job.enclave-attested',
  'job.run-started',
  'job.result-received',
  'job.proven',
  'job.settled',
];
const ENCLAVE = [
  'enclave.requested',
  'enclave.created',
  'enclave.attested',
  'enclave.run-started',
  'enclave.run-finished',
  'enclave.destroyed',
];

/** Every stream of a job: its events once and of its journey, its state as the audit wants it. */
const expectInOrder = async ({
  jobId,
  auctionId,
  quorumId,
  enclaveId,
}: Awaited<ReturnType<typeof runningJob>>) => {
  expect(await typesOf(jobId)).toEqual(JOB);
  expect(await typesOf(enclaveId)).toEqual(ENCLAVE);
  expect(await typesOf(quorumId)).toEqual(['quorum.formed', 'quorum.dissolved']);
  for (const stream of [jobId, auctionId, quorumId, enclaveId]) {
    await engine.client.workflow.getHandle(stream).result();
    const events = await eventsOf(stream);
    expect(new Set(events.map(({ correlationId }) => correlationId)), stream).toEqual(new Set([jobId]));
    const revision = BigInt(events.length - 1);
    expect(await engine.store.loadSnapshot(stream)).toMatchObject({ revision });
    expect(await checkLiveState(engine, stream, revision)).toEqual([]);
  }
  const ledger = foldLedger(
    emptyLedger,
    (await eventsOf(LEDGER_STREAM)).map((event) => domainEventOf<LedgerEvent>(event)),
  );
  expect(total(ledger)).toBe(0n);
  expect(Object.keys(ledger.balances).filter((name) => name.startsWith('escrow:'))).toEqual([]);
};

const POINTS = {
  'its first task': (points: Points) => points[0],
  'a task in its middle': (points: Points) => points[Math.floor(points.length / 2)],
  'its last task': (points: Points) => points.at(-1),
} as const;

test.each(Object.entries(POINTS))(
  'a job and its enclave are reset in mid-run to %s: everything happens once',
  { timeout: 180_000 },
  async (_, point) => {
    const job = await runningJob();
    await reset(job.jobId, point);
    await reset(job.enclaveId, point);
    const types = (): ReturnType<typeof typesOf> => {
      finishRuns();
      return typesOf(job.jobId);
    };
    await expect.poll(types, WAIT).toContain('job.settled');
    await expect.poll(() => typesOf(job.enclaveId), WAIT).toContain('enclave.destroyed');
    await expect.poll(() => typesOf(job.quorumId), WAIT).toContain('quorum.dissolved');
    await expectInOrder(job);
  },
);

test('a timer of a run that is reset fires when it is due, not one delay later', {
  timeout: 90_000,
}, async () => {
  const id = randomBytes(8).toString('hex');
  const auctionId = `auction-${id}`;
  const open: OpenAuction = {
    type: 'open',
    auctionId,
    submitter: 'subject-submitter',
    jobId: `job-${id}`,
    quoteId: 'quote',
    tier: 'bronze',
    tierTableVersion: 1,
    requiredTops: 500,
    utilization: 0.8,
    durationSeconds: 60,
    ceiling: toMicro(1_000n),
    auctionSeconds: 8,
    seed: '00',
  };
  expect(await engine.lifecycles.open('auction', auctionId, open, metaOf(`${auctionId}/open`))).toMatchObject(
    {
      ok: true,
    },
  );
  const [first] = await eventsOf(auctionId);
  const { openedAt, closesAt } = domainEventOf<AuctionOpened>(first as RecordedEvent);
  // A part of the term has passed: a timer that started anew would be longer than what is left of it.
  await expect.poll(() => Date.now() - Date.parse(openedAt), WAIT).toBeGreaterThan(3_000);
  const resetAt = Date.now();
  await reset(auctionId, POINTS['its first task']);
  await expect.poll(() => typesOf(auctionId), WAIT).toContain('auction.extended');
  const { events } = await engine.client.workflow.getHandle(auctionId).fetchHistory();
  const [timer] = (events ?? []).flatMap(
    ({ timerStartedEventAttributes }) => timerStartedEventAttributes ?? [],
  );
  const seconds =
    Number(timer?.startToFireTimeout?.seconds ?? 0) + (timer?.startToFireTimeout?.nanos ?? 0) / 1e9;
  expect(seconds * 1_000).toBeLessThanOrEqual(Date.parse(closesAt) - resetAt);
  const [, extended] = (await eventsOf(auctionId)).map((event) => domainEventOf<AuctionEvent>(event));
  expect(extended).toMatchObject({ type: 'auction.extended' });
  expect(extended?.type === 'auction.extended' && extended.extendedAt >= closesAt).toBe(true);
  await expect.poll(() => typesOf(auctionId), WAIT).toContain('auction.failed');
  expect(await typesOf(auctionId)).toEqual(['auction.opened', 'auction.extended', 'auction.failed']);
});
