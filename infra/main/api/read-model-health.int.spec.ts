import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newEvent } from '../../../domain/event.ts';
import { type EventStore, NO_STREAM } from '../../../domain/ports/event-store.ts';
import { READ_MODELS } from '../../../projections/read-models.ts';
import { createRunner } from '../../../projections/runner.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { createPostgresEventStore } from '../../event-store/postgres/store.ts';
import { migrate } from '../../postgres/migrate.ts';
import { createPool } from '../../postgres/pool.ts';
import { readModelHealth } from './read-model-health.ts';

let database: TestDatabase;
let pool: ReturnType<typeof createPool>;
let store: EventStore;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 8 });
  store = createPostgresEventStore({ pool });
});
afterAll(async () => {
  await store.close();
  await pool.end();
  await database.drop();
});

it('a parked row degrades its model and names itself; the model is not behind', async () => {
  const context = {
    occurredAt: '2026-01-01T00:00:00.000Z',
    actor: 'engine',
    correlationId: 'c',
    causationId: 'c',
    traceparent: null,
  };
  // A quorum that was never formed: nobody wrote this, and no fold can follow it.
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    const event = newEvent({ type: 'quorum.dissolved', reason: 'so' } as { type: string }, context);
    await store.append({ stream: `quorum-${name}`, expectedRevision: NO_STREAM, events: [event] });
  }
  const runner = createRunner({ pool, store, log: pino({ level: 'silent' }) });
  for (const projection of READ_MODELS) await runner.catchUp(projection);
  const { readModel, projections } = readModelHealth({ pool, store });
  const said = {
    status: 'degraded',
    lag: 0,
    cause:
      'quorum-a is parked at quorum.dissolved (position 1): quorum.dissolved before quorum.formed in quorum-a; ' +
      'quorum-b is parked at quorum.dissolved (position 2): quorum.dissolved before quorum.formed in quorum-b; ' +
      'quorum-c is parked at quorum.dissolved (position 3): quorum.dissolved before quorum.formed in quorum-c; 2 more',
  };
  expect(await readModel('quorums').probe()).toEqual(said);
  expect(await projections.probe()).toEqual(said);
  expect(await readModel('auctions').probe()).toEqual({ status: 'ok', lag: 0 });
});
