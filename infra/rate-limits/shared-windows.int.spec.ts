import { createServer } from 'node:net';
import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { blockOf, type SharedWindows, sharedWindows } from './shared-windows.ts';
import type { Spent, Windows } from './windows.ts';

/** Longer than any statement takes on a busy machine. */
const AWAY_MS = 50_000;

let database: TestDatabase;
let pools: Pool[];
let all: SharedWindows[];
let clock: number;
let faults: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
});
afterAll(() => database.drop());
beforeEach(() => {
  pools = [];
  all = [];
  clock = 0;
  faults = [];
});
afterEach(async () => {
  for (const windows of all) windows.close();
  for (const pool of pools) await pool.end();
});

/** The windows of one process, and how often it asked the store. */
const process = (url = database.url) => {
  const pool = createPool(url, { name: 'test', max: 1 });
  pools.push(pool);
  const asked = { count: 0 };
  const windows = sharedWindows({
    pool: {
      query: ((text: string, values: unknown[]) => {
        asked.count += 1;
        return pool.query(text, values);
      }) as Pool['query'],
    },
    monotonic: () => clock,
    onFault: (message) => faults.push(message),
    awayMs: AWAY_MS,
  });
  all.push(windows);
  return { windows, pool, asked };
};
const times = (count: number, windows: Windows, key: string, limit: number): Promise<Spent[]> =>
  Promise.all(Array.from({ length: count }, () => windows.spend(key, limit)));
const admitted = (spent: readonly Spent[]): number => spent.filter((each) => each.admitted).length;

describe('windows that processes share', () => {
  it.each([1, 7, 10, 100, 1_000])(
    'R2: two processes together admit the limit of %i, and no more',
    async (limit) => {
      const [a, b] = [process(), process()];
      const key = `both-${limit}`;
      const rounds: Spent[] = [];
      for (let round = 0; round < 4; round++) {
        rounds.push(
          ...(
            await Promise.all([times(limit, a.windows, key, limit), times(limit, b.windows, key, limit)])
          ).flat(),
        );
      }
      expect(admitted(rounds)).toBe(limit);
      expect(rounds.at(-1)).toMatchObject({ admitted: false, remaining: 0 });
      expect(rounds.at(-1)?.resetMs).toBeGreaterThan(0);
    },
  );

  it('counts down, request by request, and refuses a caller at most a block per process early', async () => {
    const [a, b] = [process(), process()];
    expect(await b.windows.spend('one', 100)).toMatchObject({ remaining: 99 });
    const spent: Spent[] = [];
    for (let request = 0; request < 120; request++) spent.push(await a.windows.spend('one', 100));
    expect(admitted(spent)).toBe(100 - blockOf(100));
    const remaining = spent.filter((each) => each.admitted).map((each) => each.remaining);
    expect(remaining).toEqual(remaining.toSorted((x, y) => y - x));
    expect(remaining.at(-1)).toBe(0);
    expect(admitted(await times(10, b.windows, 'one', 100))).toBe(blockOf(100) - 1);
  });

  it('asks the store for a block at a time, for many keys at once, and not for a spent key', async () => {
    const { windows, asked } = process();
    for (let request = 0; request < 1_000; request++) await windows.spend('busy', 1_000);
    expect(asked.count).toBe(1_000 / blockOf(1_000));
    await times(500, windows, 'busy', 1_000);
    expect(asked.count).toBe(1_000 / blockOf(1_000));
    asked.count = 0;
    const keys = Array.from({ length: 300 }, (_, index) => `key-${index}`);
    expect(admitted(await Promise.all(keys.map((key) => windows.spend(key, 10))))).toBe(300);
    expect(asked.count).toBeLessThanOrEqual(2);
  });

  it('begins anew when the window has ended', async () => {
    const { windows, pool } = process();
    expect(admitted(await times(20, windows, 'again', 10))).toBe(10);
    clock = 61_000;
    await pool.query(`update engine.rate_windows set ends_at = now() - interval '1 second'`);
    expect(admitted(await times(20, windows, 'again', 10))).toBe(10);
  });

  it('two processes that want the same keys in different orders do not block each other', async () => {
    const [a, b] = [process(), process()];
    const keys = Array.from({ length: 200 }, (_, index) => `crossed-${index}`);
    for (let round = 0; round < 5; round++) {
      await Promise.all([
        ...keys.map((key) => a.windows.spend(key, 10)),
        ...keys.toReversed().map((key) => b.windows.spend(key, 10)),
      ]);
    }
    expect(faults).toEqual([]);
  });
});

describe('without the store', () => {
  it('a process holds to the limit by itself, says so once, and shares again as soon as it can', async () => {
    const { windows, pool, asked } = process();
    await pool.query('alter table engine.rate_windows rename to away');
    expect(admitted(await times(20, windows, 'away', 10))).toBe(10);
    expect(admitted(await times(20, windows, 'away', 10))).toBe(0);
    expect([faults.length, asked.count]).toEqual([1, 1]);
    await pool.query('alter table engine.away rename to rate_windows');
    expect(admitted(await times(1, windows, 'back', 10))).toBe(1);
    clock = AWAY_MS + 1;
    expect(admitted(await times(20, windows, 'back', 10))).toBe(10);
    const { rows } = await pool.query(`select taken from engine.rate_windows where key = 'back'`);
    expect(rows).toEqual([{ taken: 10 }]);
  });

  it('one that hangs keeps no request waiting for long', async () => {
    const hanging = createServer(() => undefined);
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    const { port } = hanging.address() as { port: number };
    const pool = createPool(`postgres://postgres@127.0.0.1:${port}/postgres`, { name: 'test', max: 1 });
    const windows = sharedWindows({
      pool,
      monotonic: () => clock,
      onFault: (message) => faults.push(message),
    });
    all.push(windows);
    expect(admitted(await times(20, windows, 'hanging', 10))).toBe(10);
    expect(faults).toEqual(['every process counts requests for itself']);
    hanging.close();
  });
});
