import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { createCheckpoints } from '../../projections/checkpoints.ts';
import { compareWithRebuild } from '../../projections/compare.ts';
import { READ_MODELS } from '../../projections/read-models.ts';
import { projectionStatus } from '../../projections/status.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { plots, tell } from '../../test/support/stories.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';

const PATIENCE_MS = 30_000;

let database: TestDatabase;
let pool: Pool;
let store: EventStore;
const children: ChildProcess[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, { name: 'test', max: 8 });
  store = createPostgresEventStore({ pool });
});

afterEach(async () => {
  for (const child of children.splice(0)) await end(child, 'SIGKILL');
  await store.close();
  await pool.end();
  await database.drop();
});

const start = (): ChildProcess => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'projector.ts')], {
    env: { ...process.env, DATABASE_URL: database.url, TEMPORAL_ADDRESS: '127.0.0.1:1', LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
};

const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> => {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill(signal);
  const [code] = (await exited) as [number | null];
  return code;
};

describe('projector', () => {
  it('killed -9 again and again, it loses and doubles nothing', async () => {
    await migrate(database.url);
    const [plot] = fc.sample(plots({ min: 40, max: 40 }), { numRuns: 1, seed: 4 });
    let child = start();
    let appends = 0;
    let killedAt = 0n;
    /** Every process gets some of the work done before it dies, with more of it under way. */
    const progress = async (): Promise<void> => {
      const newest = async (): Promise<bigint> => {
        const statuses = await projectionStatus(pool, 0n);
        return statuses.reduce((sum, { position }) => sum + position, 0n);
      };
      await expect.poll(newest, { timeout: PATIENCE_MS, interval: 5 }).toBeGreaterThan(killedAt);
      killedAt = await newest();
    };
    await tell(
      {
        ...store,
        append: async (...args) => {
          appends++;
          if (appends % 100 === 0) {
            await progress();
            await end(child, 'SIGKILL');
            child = start();
          }
          return store.append(...args);
        },
      },
      plot as NonNullable<typeof plot>,
    );
    expect(appends).toBeGreaterThan(300);
    const checkpoints = createCheckpoints({ pool, pollMs: 50 });
    const { position } = await store.head();
    const names = READ_MODELS.map(({ name }) => name);
    expect(await checkpoints.waitFor(position, names, PATIENCE_MS)).toEqual({ ok: true });
    await checkpoints.close();
    for (const projection of READ_MODELS)
      expect(await compareWithRebuild(pool, store, projection)).toEqual([]);
    expect(await end(child, 'SIGTERM')).toBe(0);
  }, 120_000);

  it('waits for a database that is not ready and ends when told', async () => {
    const child = start();
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    await migrate(database.url);
    const checkpoints = createCheckpoints({ pool, pollMs: 50 });
    expect(
      await checkpoints.waitFor(
        0n,
        READ_MODELS.map(({ name }) => name),
        PATIENCE_MS,
      ),
    ).toEqual({ ok: true });
    await checkpoints.close();
    expect(await end(child, 'SIGINT')).toBe(0);
  }, 60_000);
});
