import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { migrate } from './migrate.ts';
import { createPool } from './pool.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('migrations run once, from however many processes', async () => {
  const runs = await Promise.all([migrate(database.url), migrate(database.url), migrate(database.url)]);
  expect(runs.flat()).toContain('0001_event_store');
  expect(new Set(runs.flat()).size).toBe(runs.flat().length);
  expect(await migrate(database.url)).toEqual([]);
});

test('a pool loses nothing of what the database holds, and changes no other pool', async () => {
  const pool = createPool(database.url, { name: 'reader', max: 2 });
  const { rows } = await pool.query(
    `select 9223372036854775807::bigint as big, '2026-01-02 03:04:05.123456+02'::timestamptz as at, '2026-01-02'::date as day,
            0.1::numeric as exact, '{"a": 1}'::jsonb as json, current_setting('application_name') as name`,
  );
  expect(rows).toEqual([
    {
      big: 2n ** 63n - 1n,
      at: '2026-01-02T01:04:05.123456Z',
      day: '2026-01-02',
      exact: '0.1',
      json: { a: 1 },
      name: 'reader',
    },
  ]);
  await pool.end();
});

test('a connection that the server ends is replaced', async () => {
  const lost: Error[] = [];
  const pool = createPool(database.url, { name: 'victim', max: 1, onIdleError: (error) => lost.push(error) });
  const killer = createPool(database.url, { name: 'killer', max: 1 });
  await pool.query('select 1');
  await killer.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim'`,
  );
  await expect.poll(() => lost.length).toBe(1);
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await Promise.all([pool.end(), killer.end()]);
});
