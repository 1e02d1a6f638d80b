import type { Pool } from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { type Presence, reportPresence } from './presence.ts';
import { type ProcessKind, rosterOf, seenProcesses } from './roster.ts';

const PATIENCE = { timeout: 30_000, interval: 20 };

let database: TestDatabase;
let pool: Pool;
let running: Presence[];
let faults: string[];

beforeEach(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 2 });
  running = [];
  faults = [];
});
afterEach(async () => {
  for (const presence of running) await presence.leave();
  await pool.end();
  await database.drop();
});

const start = (kind: ProcessKind, instance: string): Presence => {
  const presence = reportPresence({
    databaseUrl: database.url,
    kind,
    instance,
    onFault: (message) => faults.push(message),
  });
  running.push(presence);
  return presence;
};
const leave = async (presence: Presence): Promise<void> => {
  running.splice(running.indexOf(presence), 1);
  await presence.leave();
};
const workers = async (announced: number | null) =>
  rosterOf('worker', await seenProcesses(pool, 'worker'), announced);
/** As a process leaves its row that was killed a minute ago. */
const dead = (instance: string) =>
  pool.query(
    `insert into engine.processes values ('worker', $1, gen_random_uuid(), now(), now() - interval '1 minute')`,
    [instance],
  );

it('who has died is missing, who has left is not, unless it was announced', async () => {
  start('api', '0');
  const worker = start('worker', '0');
  await dead('1');
  await expect.poll(() => workers(null), PATIENCE).toEqual({ have: 1, expected: 2, missing: ['worker-1'] });
  start('worker', '1');
  await expect.poll(() => workers(null), PATIENCE).toEqual({ have: 2, expected: 2, missing: [] });
  await leave(worker);
  expect(await workers(null)).toEqual({ have: 1, expected: 1, missing: [] });
  expect(await workers(2)).toEqual({ have: 1, expected: 2, missing: ['worker'] });
});

it('nobody is dead for a stall of the database, which holds up every beat alike', async () => {
  start('api', '0');
  start('worker', '0');
  await expect.poll(() => workers(1), PATIENCE).toMatchObject({ have: 1 });
  const client = await pool.connect();
  await client.query('begin');
  await client.query(`update engine.processes set alive_at = alive_at - interval '20 seconds'`);
  const { rows } = await client.query<{ count: bigint }>('select count(*) from engine.processes');
  expect(rows[0]?.count).toBe(2n);
  expect(rosterOf('worker', await seenProcesses(client, 'worker'), 1)).toMatchObject({
    have: 1,
    missing: [],
  });
  await client.query('rollback');
  client.release();
});

it('beats go on after a lost connection; a name that two use is reported', async () => {
  start('worker', '0');
  await expect.poll(() => workers(1), PATIENCE).toMatchObject({ have: 1 });
  await pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'worker presence'
        and datname = current_database()`,
  );
  await pool.query('delete from engine.processes');
  await expect.poll(() => workers(1), PATIENCE).toMatchObject({ have: 1 });
  start('worker', '0');
  await expect.poll(() => faults, PATIENCE).toContain('another worker calls itself 0, too');
});
