import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Auction } from '../../domain/auction/auction.ts';
import type { OpenAuction } from '../../domain/auction/commands.ts';
import { toMicro } from '../../domain/money.ts';
import type { Command, Report } from '../../domain/ports/lifecycles.ts';
import { foldStream } from '../../domain/registry.ts';
import { bidIdOf } from '../../infra/bidding/bid-id.ts';
import { sealContext } from '../../infra/bidding/seal-context.ts';
import { startTemporal, type TemporalServer } from '../../infra/stack/temporal.ts';
import { newJob, wholeJobEffects } from '../support/commands/whole-job.ts';
import { type Engine, metaOf, openEngine } from '../support/open-engine.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

/** History events after which this server suggests a new run: a handful of commands. */
const HISTORY_LIMIT = 40;

let directory: string;
let temporal: TemporalServer;
let database: TestDatabase;
let engine: Engine;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'aivillage-can-'));
  temporal = await startTemporal({
    env: process.env,
    report: console.log,
    file: null,
    logFile: join(directory, 'temporal.log'),
    ui: false,
    settings: { 'limit.historyCount.suggestContinueAsNew': HISTORY_LIMIT },
  });
  database = await createTestDatabase();
  engine = await openEngine({
    databaseUrl: database.url,
    address: temporal.address,
    activities: () =>
      wholeJobEffects(
        () => engine,
        () => Promise.resolve(),
      ),
  });
});

afterAll(async () => {
  await engine.stop();
  await temporal.stop();
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

const openAuction = async (auctionSeconds: number): Promise<string> => {
  const auctionId = `auction-${randomBytes(13).toString('hex')}`;
  const submitter = 'subject-submitter';
  const open: OpenAuction = {
    type: 'open',
    auctionId,
    submitter,
    jobId: 'job-1',
    quoteId: 'quote',
    tier: 'bronze',
    tierTableVersion: 1,
    requiredTops: 500,
    utilization: 0.8,
    durationSeconds: 60,
    ceiling: toMicro(1_000_000n),
    auctionSeconds,
    seed: randomBytes(32).toString('hex'),
  };
  const opened = await engine.lifecycles.open(
    'auction',
    auctionId,
    open,
    metaOf(`${auctionId}/open`, submitter),
  );
  expect(opened).toMatchObject({ ok: true });
  await engine.sealing.createKey(auctionId);
  return auctionId;
};

/** Bids that are ready to be sent, each from an owner of its own. */
const prepareBids = (auctionId: string, count: number) =>
  Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const bidder = await engine.provider(index, 'cloud_aws');
      const bidId = bidIdOf(auctionId, bidder.providerId);
      const sealed = await engine.sealing.seal(
        auctionId,
        `{"price":"${1000 + index}"}`,
        sealContext(auctionId, bidId),
      );
      const command = { type: 'place-bid', bidId, ...bidder, sealed } as Command;
      const meta = metaOf(bidId, bidder.owner);
      return { send: () => engine.lifecycles.execute(auctionId, command, meta) };
    }),
  );

const runIdOf = async (auctionId: string): Promise<string> =>
  (await engine.client.workflow.getHandle(auctionId).describe()).runId;

const auctionOf = async (auctionId: string): Promise<Auction> =>
  foldStream(auctionId, await engine.store.readStream(auctionId)).context as Auction;

test('continue-as-new carries state, deadline and answers: the auction goes on as if nothing had happened', async () => {
  const auctionId = await openAuction(8);
  const firstRun = await runIdOf(auctionId);
  const bids = await prepareBids(auctionId, 16);
  const answers = [];
  for (const bid of bids) answers.push(await bid.send());
  expect(answers.every((answer) => answer.ok)).toBe(true);
  expect(new Set(answers.map((answer) => answer.ok && answer.revision)).size).toBe(16);
  expect(await runIdOf(auctionId)).not.toBe(firstRun);

  const repeated = await bids[0]?.send();
  expect(repeated).toEqual(answers[0]);

  const end = await engine.client.workflow.getHandle(auctionId).result();
  expect(end).toMatchObject({ value: 'allocated' });
  const auction = await auctionOf(auctionId);
  expect(auction.bids).toHaveLength(16);
  expect(auction.awarded).toMatchObject([{ price: '1000', payment: '1001' }]);
  const types = (await engine.store.readStream(auctionId)).map((event) => event.type);
  expect(types.filter((type) => type === 'auction.closed')).toHaveLength(1);
});

test('continue-as-new waits for no command that waits for it: all of many at once are answered', async () => {
  const auctionId = await openAuction(10);
  const firstRun = await runIdOf(auctionId);
  const bids = await prepareBids(auctionId, 60);
  // Three waves: the server suggests it to a task that comes after many events.
  const sendWave = async (from: number) => Promise.all(bids.slice(from, from + 20).map((bid) => bid.send()));
  const answers = [...(await sendWave(0)), ...(await sendWave(20)), ...(await sendWave(40))];
  expect(answers.filter((answer) => !answer.ok)).toEqual([]);
  const end = await engine.client.workflow.getHandle(auctionId).result();
  expect(end).toMatchObject({ value: 'allocated' });
  expect(await runIdOf(auctionId)).not.toBe(firstRun);
  expect((await auctionOf(auctionId)).bids).toHaveLength(60);
});

test('a child that continues as new tells its parent of a state once', { timeout: 120_000 }, async () => {
  const command = await newJob(engine, { auctionSeconds: 8 });
  const { jobId, auctionId, submitter } = command;
  const meta = metaOf(`${jobId}/submit`, submitter);
  expect(await engine.lifecycles.open('job', jobId, command, meta)).toMatchObject({ ok: true });
  const opened = async () => (await engine.store.readStream(auctionId)).length;
  await expect.poll(opened, { timeout: 30_000 }).toBeGreaterThan(0);
  await engine.sealing.createKey(auctionId);
  const firstRun = await runIdOf(auctionId);
  for (const bid of await prepareBids(auctionId, 14)) await bid.send();
  expect(await runIdOf(auctionId)).not.toBe(firstRun);
  await expect
    .poll(async () => (await engine.store.readStream(jobId)).map(({ type }) => type), { timeout: 60_000 })
    .toContain('job.settled');

  // The job's own runs, the newest first.
  const told: string[] = [];
  for (let runId: string | undefined = await runIdOf(jobId); runId; ) {
    const { events } = await engine.client.workflow.getHandle(jobId, runId).fetchHistory();
    for (const { workflowExecutionSignaledEventAttributes: signal } of events ?? []) {
      const report =
        signal && (JSON.parse(Buffer.from(signal.input?.payloads?.[0]?.data ?? []).toString()) as Report);
      if (report?.stream === auctionId) told.push(report.state);
    }
    runId = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? undefined;
  }
  expect(told.sort()).toEqual(['allocated', 'open']);
});
