import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { createPool } from './pool.ts';
import { createTurns } from './turns.ts';

let database: TestDatabase;
let pool: Pool;
const faults: string[] = [];
const turns = () => createTurns({ pool, name: 'test', onFault: (message) => faults.push(message) });

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, { name: 'test-turns', max: 4 });
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

test('what is asked for by several processes runs in one of them at a time; each tells its failures alone', async () => {
  let inside = 0;
  const work = (holder: ReturnType<typeof turns>) =>
    holder.run(async () => {
      expect(++inside).toBe(1);
      await pool.query('select pg_sleep(0.005)');
      inside -= 1;
    });
  const processes = [turns(), turns(), turns()];
  for (let round = 0; round < 5; round++) await Promise.all(processes.map(work));
  const failing = turns();
  const results = await Promise.allSettled([
    failing.run(async () => 'done'),
    failing.run(() => Promise.reject(new Error('mine'))),
  ]);
  expect(results).toMatchObject([{ value: 'done' }, { reason: { message: 'mine' } }]);
  expect(faults).toEqual([]);
});

test('a connection that has been held waits for locks as long as before', async () => {
  await turns().run(async () => undefined);
  for (let each = 0; each < 4; each++)
    expect((await pool.query('show lock_timeout')).rows).toEqual([{ lock_timeout: '0' }]);
});

test('where the holder stalls, and where the server ends the connection, work goes on without a turn', async () => {
  const stalled = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const holding = turns().run(() => {
    held.resolve();
    return stalled.promise;
  });
  await held.promise;
  expect(await turns().run(async () => 'went on')).toBe('went on');
  expect(faults).toEqual(['no turn at the test']);
  const other = createPool(database.url, { name: 'other', max: 1 });
  await other.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'test-turns'`,
  );
  await other.end();
  stalled.resolve();
  await holding;
  expect(await turns().run(async () => 'again')).toBe('again');
});
