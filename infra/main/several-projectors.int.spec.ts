import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { createCheckpoints } from '../../projections/checkpoints.ts';
import { compareWithRebuild } from '../../projections/compare.ts';
import { READ_MODELS } from '../../projections/read-models.ts';
import { projectionStatus } from '../../projections/status.ts';
import { anchoredSizes } from '../../test/support/anchoring.ts';
import { startChain, type TestChain } from '../../test/support/anvil.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { plots, tell } from '../../test/support/stories.ts';
import { anchoringStatus } from '../anchor/status.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { reportPresence } from '../processes/presence.ts';
import { rosterOf, seenProcesses } from '../processes/roster.ts';
import { createTransparencyLog } from '../tlog/transparency-log.ts';
import { prepareHome } from './local-home.ts';

const PATIENCE = { timeout: 60_000, interval: 20 };
const KILL_EVERY = 100;

let directory: string;
let database: TestDatabase;
let chain: TestChain;
let pool: Pool;
let store: EventStore;
/** Oldest first. */
let projectors: ChildProcess[];

beforeEach(async () => {
  projectors = [];
  directory = await mkdtemp(join(tmpdir(), 'aivillage-projectors-'));
  await prepareHome(directory);
  database = await createTestDatabase();
  await migrate(database.url);
  chain = await startChain();
  pool = createPool(database.url, { name: 'test', max: 8 });
  store = createPostgresEventStore({ pool });
});
afterEach(async () => {
  for (const child of projectors) await kill(child);
  await store.close();
  await pool.end();
  await chain.stop();
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

let started = 0;
const start = (): void => {
  projectors.push(
    spawn(process.execPath, [join(import.meta.dirname, 'projector.ts')], {
      env: {
        ...process.env,
        AIVILLAGE_HOME: directory,
        DATABASE_URL: database.url,
        TEMPORAL_ADDRESS: '127.0.0.1:1',
        ANCHOR_RPC_URL: chain.url,
        ANCHOR_BATCH_EVENTS: '20',
        ANCHOR_INTERVAL_SECONDS: '1',
        // Two at a time: the next one has the number of the one that was killed.
        INSTANCE_NAME: `${started++ % 2}`,
        LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  );
};
const kill = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
};

const sumOf = async (text: string): Promise<bigint> =>
  (await pool.query<{ sum: bigint }>(`select coalesce(${text}, 0)::bigint as sum`)).rows[0]?.sum ?? 0n;
const projected = async (): Promise<bigint> =>
  (await projectionStatus(pool, 0n)).reduce((sum, { position }) => sum + position, 0n);
const signed = () => sumOf('(select max(size) from log.checkpoints)');
const anchored = () => sumOf(`(select count(*) from log.anchors where state = 'confirmed')`);
/** Read models, and the anchoring, that somebody leads. */
const leads = () =>
  sumOf(`(select count(*) from pg_locks join pg_database on pg_database.oid = database
           where datname = current_database() and locktype = 'advisory' and objsubid = 2)`);
const roster = async () => rosterOf('projector', await seenProcesses(pool, 'projector'), 2);

it('one of two leads; killed -9 again and again, the other goes on and nothing is lost, doubled or signed twice', async () => {
  start();
  await expect.poll(projected, PATIENCE).toBeGreaterThanOrEqual(0n);
  const [plot] = fc.sample(plots({ min: 40, max: 40 }), { numRuns: 1, seed: 6 });
  let appends = 0;
  let takeovers = 0;
  await tell(
    {
      ...store,
      append: async (...args) => {
        appends += 1;
        if (appends % KILL_EVERY === 0) {
          start();
          await expect.poll(roster, PATIENCE).toMatchObject({ have: 2, missing: [] });
          const before = await projected();
          await kill(projectors.shift() as ChildProcess);
          takeovers += 1;
          const answer = await store.append(...args);
          await expect.poll(projected, PATIENCE).toBeGreaterThan(before);
          return answer;
        }
        return store.append(...args);
      },
    },
    plot as NonNullable<typeof plot>,
  );
  expect(takeovers).toBeGreaterThan(2);

  const { position } = await store.head();
  const checkpoints = createCheckpoints({ pool, pollMs: 50 });
  const names = READ_MODELS.map(({ name }) => name);
  expect(await checkpoints.waitFor(position, names, PATIENCE.timeout)).toEqual({ ok: true });
  await checkpoints.close();
  for (const projection of READ_MODELS) expect(await compareWithRebuild(pool, store, projection)).toEqual([]);

  await expect.poll(signed, PATIENCE).toBeGreaterThan(0n);
  const size = await signed();
  await expect.poll(anchored, PATIENCE).toBeGreaterThan(0n);
  const log = createTransparencyLog(pool);
  const { rows: heads } = await pool.query<{ size: bigint; root: Buffer }>(
    'select size, root from log.checkpoints order by size',
  );
  for (const head of heads) expect(Buffer.from(await log.rootAt(head.size))).toEqual(head.root);
  expect(heads.at(-1)?.size).toBeGreaterThanOrEqual(size);

  // Nobody anchors any more: what the chain holds is what is noted, each head once.
  for (const child of projectors) await kill(child);
  const target = (await anchoringStatus(pool))?.target;
  const onChain = await anchoredSizes(chain, target?.contract ?? '');
  expect(new Set(onChain).size).toBe(onChain.length);
  const { rows: noted } = await pool.query<{ size: bigint }>(
    `select size from log.anchors where state = 'confirmed' order by size`,
  );
  expect(onChain.toSorted((a, b) => a - b)).toEqual(
    expect.arrayContaining(noted.map((row) => Number(row.size))),
  );
  // Whoever is alive notices.
  const witness = reportPresence({
    databaseUrl: database.url,
    kind: 'api',
    instance: '0',
    onFault: () => undefined,
  });
  await expect.poll(roster, PATIENCE).toMatchObject({ have: 0, missing: ['projector', 'projector-1'] });
  await witness.leave();
}, 300_000);

it('one that hangs loses the lead, and writes nothing more when it goes on', async () => {
  start();
  await expect.poll(leads, PATIENCE).toBe(BigInt(READ_MODELS.length + 1));
  start();
  await expect.poll(roster, PATIENCE).toMatchObject({ have: 2 });
  const [leader] = projectors as [ChildProcess];
  leader.kill('SIGSTOP');
  try {
    const [plot] = fc.sample(plots({ min: 3, max: 3 }), { numRuns: 1, seed: 8 });
    await tell(store, plot as NonNullable<typeof plot>);
    const { position } = await store.head();
    const checkpoints = createCheckpoints({ pool, pollMs: 50 });
    const names = READ_MODELS.map(({ name }) => name);
    expect(await checkpoints.waitFor(position, names, PATIENCE.timeout)).toEqual({ ok: true });
    await checkpoints.close();
    expect(await roster()).toMatchObject({ have: 1 });
  } finally {
    leader.kill('SIGCONT');
  }
  await expect.poll(roster, PATIENCE).toMatchObject({ have: 2 });
  for (const projection of READ_MODELS) expect(await compareWithRebuild(pool, store, projection)).toEqual([]);
}, 300_000);
