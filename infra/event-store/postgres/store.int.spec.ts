import type { Pool } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EventStore, NO_STREAM } from '../../../domain/ports/event-store.ts';
import { sampleAppend, sampleEvent } from '../../../test/contract/events.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { migrate } from '../../postgres/migrate.ts';
import { createPool } from '../../postgres/pool.ts';
import { prepareAppend } from '../request.ts';
import { createPostgresEventStore } from './store.ts';
import { writeBatch } from './write-batch.ts';

let database: TestDatabase;
let pool: Pool;
let store: EventStore;

beforeEach(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 8 });
  store = createPostgresEventStore({ pool, pollMs: 20 });
});
afterEach(async () => {
  await store.close();
  await pool.end();
  await database.drop();
});

test('a member that the database refuses harms only its caller', async () => {
  await pool.query(`
    create function refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;
    create trigger refuse before insert on log.events for each row when (new.type = 'sample.refused')
      execute function refuse()`);
  const refused = sampleEvent({}, { type: 'sample.refused' });
  const results = await Promise.allSettled([
    store.append(sampleAppend('sample-1', NO_STREAM)),
    store.append({ stream: 'sample-2', expectedRevision: NO_STREAM, events: [sampleEvent({}), refused] }),
    store.append(sampleAppend('sample-3', NO_STREAM)),
  ]);
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(results[1]).toMatchObject({ reason: { message: 'refused' } });
  expect((await store.readAll({ after: 0n, limit: 10 })).map(({ id, position }) => [id, position])).toEqual([
    ['sample-1@0', 1n],
    ['sample-3@0', 2n],
  ]);
});

test('appends that wait together are one transaction', async () => {
  await Promise.all(
    Array.from({ length: 50 }, (_, at) => store.append(sampleAppend(`sample-${at}`, NO_STREAM))),
  );
  const { rows } = await pool.query('select count(distinct xmin::text)::int as transactions from log.events');
  expect(rows).toEqual([{ transactions: 1 }]);
});

test('a subscription finds by polling what nobody announced', async () => {
  const iterator = store.subscribe(0n, AbortSignal.timeout(30_000))[Symbol.asyncIterator]();
  const next = iterator.next();
  await writeBatch(pool, [prepareAppend([sampleAppend('sample-1', NO_STREAM)])]);
  expect((await next).value).toMatchObject([{ id: 'sample-1@0' }]);
  await iterator.return?.();
});

test('a subscription ends with an error at a gap instead of going past it', async () => {
  await store.append(sampleAppend('sample-1', NO_STREAM, 3));
  await pool.query('delete from log.events where position = 2');
  const iterator = store.subscribe(0n, AbortSignal.timeout(30_000))[Symbol.asyncIterator]();
  await expect(iterator.next()).rejects.toThrow('gap');
});

test('a page of a long stream costs what it returns, wherever in the stream it is', async () => {
  const length = 4_000;
  for (let revision = -1; revision < length - 1; revision += 500)
    await store.append(sampleAppend('sample-long', BigInt(revision), 500));
  await store.append(sampleAppend('sample-other', NO_STREAM, 100));
  const one = createPool(database.url, { name: 'test', max: 1 });
  const reader = createPostgresEventStore({ pool: one });
  /** Rows of the log that the server has fetched by an index for this connection. */
  const fetched = async (): Promise<number> => {
    await one.query('select pg_stat_force_next_flush()');
    const { rows } = await one.query<{ fetched: number }>(
      `select idx_tup_fetch::int as fetched from pg_stat_user_tables where relid = 'log.events'::regclass`,
    );
    return rows[0]?.fetched ?? 0;
  };
  const page = { after: 3_900n, to: 3_990n, limit: 10, stream: 'sample-long' };
  await reader.readAll(page);
  const before = await fetched();
  const found = await reader.readAll(page);
  expect(found.map(({ position }) => Number(position))).toEqual(
    Array.from({ length: 10 }, (_, at) => 3_901 + at),
  );
  expect((await fetched()) - before).toBeLessThan(100);
  await reader.close();
  await one.end();
});

test('a batch with a stale part writes nothing and names the request', async () => {
  await store.append(sampleAppend('sample-1', NO_STREAM));
  const stale = prepareAppend([
    sampleAppend('sample-2', NO_STREAM),
    sampleAppend('sample-1', NO_STREAM, 1, 'other'),
  ]);
  const outcome = await writeBatch(pool, [stale]);
  expect(outcome).toEqual({ committed: false, refused: new Set([stale]) });
  expect(await store.head()).toMatchObject({ position: 1n });
});
