import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OpenedBid } from '../../domain/auction/events.ts';
import type { DomainEvent } from '../../domain/event.ts';
import type { JobEvent } from '../../domain/job/events.ts';
import { enclaveIdOf, quorumIdOf } from '../../domain/job/job.ts';
import { toMicro } from '../../domain/money.ts';
import { addSeconds } from '../../domain/time.ts';
import type { CommandCase } from '../../test/support/commands/cases.ts';
import { silentEffects, tellGiven } from '../../test/support/commands/given.ts';
import { newJob } from '../../test/support/commands/whole-job.ts';
import { type Engine, now, startEngine } from '../../test/support/engine.ts';
import { recoverLifecycles } from './recover.ts';

let engine: Engine;
/** How often each effect was asked. */
const asked = new Map<string, number>();
const counted =
  (name: string, answer: () => readonly DomainEvent[]) => async (): Promise<readonly DomainEvent[]> => {
    asked.set(name, (asked.get(name) ?? 0) + 1);
    return answer();
  };

beforeAll(async () => {
  engine = await startEngine({
    activities: () => ({
      ...silentEffects(),
      'job.run': counted('run', () => [{ type: 'job.run-started', startedAt: now() } as JobEvent]),
    }),
  });
});
afterAll(() => engine?.stop());

const WAIT = { timeout: 30_000 };
const typesOf = async (stream: string) => (await engine.store.readStream(stream)).map(({ type }) => type);

/** A stream as a lost Temporal left it: events, and a final snapshot where it has ended. */
const leave = async (stream: string, opening: CommandCase['command'], then: readonly DomainEvent[]) => {
  await tellGiven(engine, { stream, given: { opening, then }, command: opening, actor: 'engine' }, now());
  const origin = { workflowId: stream, runId: null };
  await engine.journal.append({ stream, expectedRevision: -1, batches: [], origin });
};

const bid: OpenedBid = {
  bidId: 'bid-0',
  providerId: 'provider-0',
  owner: 'owner-0',
  infrastructureType: 'cloud_aws',
  asn: 64_500,
  region: 'region-0',
  unavailability: 0.001,
  price: toMicro(100n),
  newcomer: false,
};

test('an effect that runs again counts once when its answer is in the log', async () => {
  const command = await newJob(engine);
  const { jobId, auctionId, seed } = command;
  const at = now();
  const winner = { ...bid, payment: toMicro(100n) };
  const enclaveId = enclaveIdOf(jobId, winner.providerId);
  const events: JobEvent[] = [
    { type: 'job.auction-opened', auctionId, closesAt: at },
    { type: 'job.auction-awarded', auctionId, winners: [winner], reserve: [], seed },
    {
      type: 'job.quorum-formed',
      quorumId: quorumIdOf(jobId),
      epoch: 1,
      members: [winner],
      predictedAvailability: 0.99,
      formedAt: at,
    },
    {
      type: 'job.enclave-attested',
      providerId: winner.providerId,
      enclaveId,
      label: 'simulated',
      attestedAt: at,
    },
    { type: 'job.run-started', startedAt: at },
  ];
  // The answer as the effect gave it: caused by the event that asked for it.
  const [runStarted] = events.splice(-1);
  await leave(jobId, command, events);
  const asker = `${jobId}@${events.length}`;
  await engine.journal.append({
    stream: jobId,
    expectedRevision: events.length,
    batches: [
      {
        context: {
          occurredAt: at,
          actor: 'engine',
          correlationId: jobId,
          causationId: asker,
          traceparent: null,
        },
        events: [runStarted as JobEvent],
        entries: [],
      },
    ],
    origin: { workflowId: jobId, runId: null },
  });
  expect(await recoverLifecycles(engine)).toMatchObject({ opened: 1 });
  await expect.poll(() => asked.get('run'), WAIT).toBe(1);

  // The host has dealt with the answer when the task that it came with is done.
  const isDealtWith = async (): Promise<boolean> => {
    const { events: history } = await engine.client.workflow.getHandle(jobId).fetchHistory();
    const answered = (history ?? []).findLastIndex((event) => event.activityTaskCompletedEventAttributes);
    return (
      answered >= 0 &&
      (history ?? []).slice(answered).some((event) => event.workflowTaskCompletedEventAttributes)
    );
  };
  await expect.poll(isDealtWith, WAIT).toBe(true);
  expect((await typesOf(jobId)).filter((type) => type === 'job.run-started')).toHaveLength(1);
  expect(await recoverLifecycles(engine)).toMatchObject({ opened: 0, running: 1 });
});

test('an unfinished parent hears of the child that ended while nobody told', async () => {
  const command = await newJob(engine);
  const { jobId, auctionId } = command;
  const closesAt = addSeconds(now(), 60);
  await leave(jobId, command, [{ type: 'job.auction-opened', auctionId, closesAt } as JobEvent]);
  const { type: _, codeHash: __, args: ___, ...terms } = command;
  await leave(auctionId, { ...terms, type: 'open', jobId } as CommandCase['command'], [
    {
      type: 'auction.failed',
      reason: 'AUCTION_NOT_ENOUGH_BIDS',
      message: 'bids of distinct owners: have 0, need 3',
      verdicts: [],
    } as DomainEvent,
  ]);
  await recoverLifecycles(engine);
  await expect.poll(() => typesOf(jobId), WAIT).toContain('job.aborted');
  const [, , aborted] = await engine.store.readStream(jobId);
  expect(aborted).toMatchObject({
    causationId: `${auctionId}@1`,
    data: { reason: 'AUCTION_NOT_ENOUGH_BIDS' },
  });
  // The child has nothing left to do, and leaves no second event.
  await engine.client.workflow.getHandle(auctionId).result();
  expect(await typesOf(auctionId)).toEqual(['auction.opened', 'auction.failed']);
});

test('a child of an ended parent is left alone, and so is what has ended', async () => {
  const command = await newJob(engine);
  const { jobId } = command;
  await leave(jobId, command, [
    { type: 'job.aborted', reason: 'CONFLICT', message: 'no' } as JobEvent,
    {
      type: 'job.failed',
      reason: 'CONFLICT',
      message: 'no',
      payouts: [],
      price: toMicro(0n),
      failedAt: now(),
    } as JobEvent,
  ]);
  const before = await engine.store.head();
  await recoverLifecycles(engine);
  await expect(engine.client.workflow.getHandle(jobId).describe()).rejects.toThrow();
  expect(await engine.store.head()).toEqual(before);
});
