import { kill } from 'node:process';
import type { Pool } from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { followNews, type News } from './news.ts';
import { createPool } from './pool.ts';

const PATIENCE = { timeout: 30_000, interval: 10 };
const CHANNEL = 'test_news';

let database: TestDatabase;
let pool: Pool;
let news: News;
let heard: number;
let faults: string[];

beforeEach(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, { name: 'test', max: 2 });
  heard = 0;
  faults = [];
  news = followNews({ pool, channel: CHANNEL, onFault: (message) => faults.push(message) });
  news.onNews(() => heard++);
  await untilAsOf(performance.now());
});
afterEach(async () => {
  await news.close();
  await pool.end();
  await database.drop();
});

const untilAsOf = (moment: number) => expect.poll(news.asOf, PATIENCE).toBeGreaterThan(moment);

const backend = async (): Promise<number> => {
  const { rows } = await pool.query<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
        and (query = 'select 1' or query like 'listen%')`,
  );
  return rows[0]?.pid as number;
};

it('has heard everything up to the moment that it names', async () => {
  for (let round = 0; round < 5; round++) {
    const before = heard;
    await pool.query(`notify ${CHANNEL}`);
    await untilAsOf(performance.now());
    expect(heard).toBe(before + 1);
  }
});

it('counts a lost connection as news, and names no moment in between', async () => {
  const before = heard;
  await pool.query('select pg_terminate_backend($1)', [await backend()]);
  await expect.poll(() => heard, PATIENCE).toBeGreaterThan(before);
  expect(faults).toContain(`the channel ${CHANNEL} was interrupted`);
  await untilAsOf(performance.now());
  const restored = heard;
  await pool.query(`notify ${CHANNEL}`);
  await expect.poll(() => heard, PATIENCE).toBe(restored + 1);
});

it('names no later moment while the server does not answer, and replaces the connection', async () => {
  const pid = await backend();
  kill(pid, 'SIGSTOP');
  try {
    const stopped = performance.now();
    const before = heard;
    await pool.query(`notify ${CHANNEL}`);
    expect(news.asOf()).toBeLessThan(stopped);
    await expect.poll(() => heard, PATIENCE).toBeGreaterThan(before);
    await untilAsOf(stopped);
  } finally {
    kill(pid, 'SIGCONT');
  }
});
