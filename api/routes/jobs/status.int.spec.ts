import type { Pool } from 'pg';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newEvent } from '../../../domain/event.ts';
import { type EventStore, NO_STREAM } from '../../../domain/ports/event-store.ts';
import { createPostgresEventStore } from '../../../infra/event-store/postgres/store.ts';
import { migrate } from '../../../infra/postgres/migrate.ts';
import { createPool } from '../../../infra/postgres/pool.ts';
import { type Checkpoints, createCheckpoints } from '../../../projections/checkpoints.ts';
import { READ_MODELS } from '../../../projections/read-models.ts';
import { createRunner, prepareReadModels } from '../../../projections/runner.ts';
import { appFor } from '../../../test/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { jobStory } from '../../../test/support/stories/job.ts';
import { at } from '../../../test/support/stories/parts.ts';
import { createOwnership } from '../../log-access/ownership.ts';
import { createHub, type Hub } from '../../realtime/hub.ts';
import { createWatch } from '../../watch.ts';
import { getJobStatus } from './status.ts';

/** Nothing is found by looking again: only what is told ends a wait. */
const NEVER_MS = 3_600_000;

let database: TestDatabase;
let pool: Pool;
let store: EventStore;
let checkpoints: Checkpoints;
let hub: Hub;
let stopping: AbortController;
let following: Promise<void>;

beforeEach(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 8 });
  await prepareReadModels(pool, READ_MODELS);
  store = createPostgresEventStore({ pool });
  checkpoints = createCheckpoints({ pool, pollMs: NEVER_MS });
  hub = createHub({ store, ownership: createOwnership(store), logger: pino({ level: 'silent' }), from: 0n });
  stopping = new AbortController();
  following = hub.run(stopping.signal);
});
afterEach(async () => {
  stopping.abort();
  await following;
  await checkpoints.close();
  await store.close();
  await pool.end();
  await database.drop();
});

test('who waits for the end of a job is answered once the read model shows it, however late that is', async () => {
  // The shortest story of a job: submitted, aborted, failed.
  const { stream, events } = jobStory(1, () => 0);
  const append = async (from: number, to: number) =>
    store.append({
      stream,
      expectedRevision: BigInt(from) + NO_STREAM,
      events: events.slice(from, to).map((event, index) =>
        newEvent(event, {
          occurredAt: at(from + index),
          actor: 'engine',
          correlationId: stream,
          causationId: `${stream}/${from}`,
          traceparent: null,
        }),
      ),
    });
  const catchUp = async () => {
    const runner = createRunner({ pool, store, log: pino({ level: 'silent' }) });
    for (const projection of READ_MODELS) await runner.catchUp(projection);
  };
  const watch = createWatch(hub, stopping.signal, NEVER_MS);
  const { api } = appFor([getJobStatus({ db: pool, checkpoints, watch, store })], { hub });
  const ask = async (query: string) =>
    (
      await api.request(`/v1/fog/scheduler/status/${stream}?${query}`, { headers: { 'X-API-Key': 'admin' } })
    ).json();

  await append(0, 1);
  await catchUp();
  const answer = ask('wait_for=terminal&timeout=60');
  const appended = await append(1, events.length);
  await expect.poll(() => hub.position(), { timeout: 30_000 }).toBe(appended.ok && appended.position);
  // The event was told; the read model knows nothing of it for a while yet.
  await pool.query('select pg_sleep(0.3)');
  await catchUp();
  expect(await answer).toMatchObject({ state: 'failed', reason: 'AUCTION_NOT_ENOUGH_BIDS' });
});
