import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { newEvent } from '../../domain/event.ts';
import { auctionIdOf, blankJob, evolveJob, type Job } from '../../domain/job/job.ts';
import { toMicro } from '../../domain/money.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { addSeconds, instant } from '../../domain/time.ts';
import { READ_MODELS } from '../../projections/read-models.ts';
import { createRunner } from '../../projections/runner.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { providerStory } from '../../test/support/stories/provider.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { createHeartbeats } from '../p2p/heartbeats.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { auctionsOfQueue } from '../quota/held-places.ts';
import { createJobQueue } from './job-queue.ts';
import { queuePlaces } from './position.ts';

const NODES = 6;
const UNTOLD_SECONDS = 5;

let database: TestDatabase;
let pool: Pool;
let store: EventStore;
/** Behind which the clock of the queues runs, s. */
let ahead = 0;
const now = (): string => addSeconds(instant(Date.now()), ahead);

/** As another process has it: it tells whoever it lets out here, unless it dies before. */
const queueOf = (told: string[], dies = false) =>
  createJobQueue({
    pool,
    lifecycles: {
      execute: async (stream, command) => {
        if (dies) throw new Error('killed');
        const { attempt } = command as unknown as { attempt: number };
        told.push(`${stream}/${attempt}`);
        return { ok: true, position: '1', revision: '1', state: 'quoted' };
      },
    },
    now,
    onError: () => undefined,
  });

const jobOf = (index: number, change: Partial<Job> = {}): Job => ({
  ...evolveJob(blankJob, {
    type: 'job.submitted',
    machineVersion: 4,
    jobId: `job-${index}`,
    submitter: 'subject-a',
    quoteId: `quote-${index}`,
    auctionId: `auction-${index}`,
    auctionGiven: false,
    tier: 'bronze',
    tierTableVersion: 1,
    requiredTops: 10,
    utilization: 0.8,
    durationSeconds: 60,
    ceiling: toMicro('1000'),
    winners: 1,
    codeHash: 'aa',
    args: [],
    inputHash: 'bb',
    memoryMb: 64,
    auctionSeconds: 5,
    maxWaitSeconds: 300,
    allowSimulated: true,
    seed: '00',
    submittedAt: addSeconds(now(), index / 1000),
  }),
  ...change,
});

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 24 });
  store = createPostgresEventStore({ pool });
  const context = { occurredAt: now(), actor: 'a', correlationId: 'c', causationId: 'c', traceparent: null };
  const heartbeats = createHeartbeats(pool);
  for (let seed = 1; seed <= NODES; seed++) {
    const { stream, events } = providerStory(seed, () => 0);
    const told = events.map((event) => newEvent(event, context));
    await store.append({ stream, expectedRevision: NO_STREAM, events: told });
    // Seen for as long as the test lasts.
    await heartbeats.record(stream, addSeconds(now(), 3600));
    await heartbeats.tellCapacity(stream, { places: 1, memoryMb: 1024, rate: null });
  }
  const runner = createRunner({ pool, store, log: pino({ level: 'silent' }) });
  for (const projection of READ_MODELS) await runner.catchUp(projection);
});
afterEach(async () => {
  ahead = 0;
  await pool.query('delete from engine.queue');
});
afterAll(async () => {
  await store.close();
  await pool.end();
  await database.drop();
});

describe('the queue of jobs that wait for room', () => {
  it('lets out as many as surely find bids, also where all ask several processes at once', async () => {
    const told: string[] = [];
    const queues = [queueOf(told), queueOf(told), queueOf(told)];
    const asked = Array.from({ length: 12 }, (_, index) => jobOf(index));
    const answers = await Promise.all(
      asked.map((job, index) => (queues[index % 3] ?? queueOf(told)).ask(job)),
    );
    // Six places, and three owners have to be left with one for the last to close.
    await vi.waitFor(() =>
      expect(answers.filter((each) => each === 'admitted').length + told.length).toBe(4),
    );
    expect(await auctionsOfQueue(pool)('subject-a')).toBe(4);
    const places = await queuePlaces(pool);
    expect([...places.values()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...new Set([...places.keys()])]).toHaveLength(8);
  });

  it('answers the same when it is asked again, by whichever process', async () => {
    const job = jobOf(1);
    expect(await queueOf([]).ask(job)).toBe('admitted');
    expect(await queueOf([]).ask(job)).toBe('admitted');
    const others = [2, 3, 4, 5].map((index) => jobOf(index));
    for (const each of others) await queueOf([]).ask(each);
    const [, , , last] = others as [Job, Job, Job, Job];
    expect(await queueOf([]).ask(last)).toBe('waiting');
    expect(await queueOf([]).ask(last)).toBe('waiting');
  });

  it('room that a job leaves is the next one’s, by turns of the submitters', async () => {
    const told: string[] = [];
    const queue = queueOf(told);
    for (let index = 0; index < 6; index++) await queue.ask(jobOf(index));
    await queue.ask(jobOf(9, { submitter: 'subject-b' }));
    expect([...(await queuePlaces(pool)).keys()]).toEqual(['job-9', 'job-4', 'job-5']);
    const stopping = new AbortController();
    const running = queue.run(stopping.signal);
    await queue.leave('job-0');
    await vi.waitFor(() => expect(told).toEqual(['job-9/1']), { timeout: 20_000 });
    await queue.leave('job-1');
    await vi.waitFor(() => expect(told).toEqual(['job-9/1', 'job-4/1']), { timeout: 20_000 });
    stopping.abort();
    await running;
  });

  it('a job that was let out by a process that died before it could say so is told by another one', async () => {
    for (let index = 0; index < 5; index++) await queueOf([]).ask(jobOf(index));
    await pool.query(`delete from engine.queue where job = 'job-0'`);
    // The read model shows it as waiting.
    await pool.query(`insert into fog.jobs select (jsonb_populate_record(null::fog.jobs, $1)).*`, [
      shownAsQueued('job-4'),
    ]);
    const dying = new AbortController();
    const dead = queueOf([], true).run(dying.signal);
    const isLetOut = async (): Promise<boolean> => !(await queuePlaces(pool)).has('job-4');
    await vi.waitUntil(isLetOut, { timeout: 20_000 });
    dying.abort();
    await dead;
    const told: string[] = [];
    ahead = UNTOLD_SECONDS + 1;
    const stopping = new AbortController();
    const running = queueOf(told).run(stopping.signal);
    await vi.waitFor(() => expect(told).toContain('job-4/1'), { timeout: 20_000 });
    stopping.abort();
    await running;
    await pool.query('delete from fog.jobs');
  });

  it('after an auction that failed a job waits again where others were under way, and gives up where none were', async () => {
    const again = (index: number): Job => {
      const job = jobOf(index);
      return { ...job, attempt: 2, auctionId: auctionIdOf(job.jobId, 2), queuedAt: now() };
    };
    expect(await queueOf([]).ask(jobOf(1))).toBe('admitted');
    expect(await queueOf([]).ask(again(1))).toBe('hopeless');
    await pool.query('delete from engine.queue');
    for (const index of [1, 2]) expect(await queueOf([]).ask(jobOf(index))).toBe('admitted');
    // Not at once: nodes would be asked for bids again and again.
    expect(await queueOf([]).ask(again(1))).toBe('waiting');
  });

  it('what idle nodes could not do either is let out, for its auction to tell', async () => {
    expect(await queueOf([]).ask(jobOf(1, { requiredTops: 100_000 }))).toBe('admitted');
  });

  it('nobody is let out past its limit', async () => {
    const job = jobOf(1);
    ahead = 301;
    expect(await queueOf([]).ask(job)).toBe('waiting');
  });
});

const shownAsQueued = (jobId: string) =>
  JSON.stringify({
    job_id: jobId,
    submitter: 'subject-a',
    quote_id: 'q',
    auction_id: 'a',
    tier: 'bronze',
    required_tops: 10,
    utilization: 0.8,
    duration_seconds: 60,
    ceiling: 1000,
    winner_count: 1,
    auction_given: false,
    code_hash: 'aa',
    args: [],
    input_hash: 'bb',
    memory_mb: 64,
    allow_simulated: true,
    state: 'queued',
    epoch: 0,
    degraded: false,
    members: [],
    failed_members: [],
    timeline: [],
    submitted_at: now(),
    attempt: 1,
    submitted_position: 1,
    position: 1,
  });
