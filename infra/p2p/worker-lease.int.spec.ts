import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { leaseWorker, type WorkerLease } from './worker-lease.ts';

/** The table is PostgreSQL's, and so is its time: a test moves rows, never clocks. */
const PATIENCE = { timeout: 20_000, interval: 50 };

let database: TestDatabase;
let admin: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  admin = createPool(database.url, { name: 'test-admin', max: 2 });
});
afterAll(async () => {
  await admin?.end();
  await database?.drop();
});

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
  await admin.query('truncate engine.workers');
});

interface TestProcess {
  /** Name of its sessions. */
  readonly name: string;
  readonly waited: () => boolean;
  readonly lease: Promise<WorkerLease | null>;
  readonly giveUp: () => void;
}

let processes = 0;
/** A process of its own as far as PostgreSQL can see. */
const startProcess = (index: number): TestProcess => {
  const name = `test-process-${processes++}`;
  const pool = createPool(database.url, { name, max: 3, onIdleError: () => undefined });
  const giving = new AbortController();
  let waited = false;
  const lease = leaseWorker({
    pool,
    index,
    signal: giving.signal,
    onWaiting: () => {
      waited = true;
    },
    onError: () => undefined,
  });
  stops.push(async () => {
    giving.abort();
    await (await lease)?.release();
    await pool.end();
  });
  return { name, waited: () => waited, lease, giveUp: () => giving.abort() };
};

const serving = async (index: number, peerId = `peer-${index}`) => {
  const process = startProcess(index);
  const lease = (await process.lease) as WorkerLease;
  await lease.serve({ peerId, address: `/ip4/127.0.0.1/tcp/1/p2p/${peerId}` });
  return { name: process.name, lease };
};

const rowOf = async (index: number) => {
  const { rows } = await admin.query<{ instance: string; awake_since: string; alive: boolean }>(
    'select instance, awake_since, alive_until > clock_timestamp() as alive from engine.workers where index = $1',
    [index],
  );
  return rows[0];
};

/** What a crash, or a partition that TCP has noticed, does to a process's sessions. */
const endSessions = (name: string) =>
  admin.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [name]);

it('is one process’s at a time: a second waits, and takes over', async () => {
  const { lease } = await serving(0);
  const second = startProcess(0);
  await vi.waitFor(() => expect(second.waited()).toBe(true), PATIENCE);
  expect((await rowOf(0))?.instance).toBe(lease.instance);
  await lease.release();
  const taken = await second.lease;
  expect(taken?.instance).not.toBe(lease.instance);
  expect(lease.lost.aborted).toBe(false);
});

it('is waited for until the process is told to stop', async () => {
  await serving(0);
  const second = startProcess(0);
  await vi.waitFor(() => expect(second.waited()).toBe(true), PATIENCE);
  second.giveUp();
  expect(await second.lease).toBeNull();
});

it('one key serves under one index alone', async () => {
  await serving(0, 'peer-x');
  await expect(serving(1, 'peer-x')).rejects.toThrow(/unique/);
});

it('survives the loss of its session', async () => {
  const { name, lease } = await serving(0);
  await endSessions(name);
  await admin.query(`update engine.workers set alive_until = now()`);
  await vi.waitFor(async () => expect((await rowOf(0))?.alive).toBe(true), PATIENCE);
  expect(lease.lost.aborted).toBe(false);
});

it('is lost to another process that took it while the session was gone', async () => {
  const { name, lease } = await serving(0);
  const second = startProcess(0);
  await vi.waitFor(() => expect(second.waited()).toBe(true), PATIENCE);
  // Both try; the one that waits looks four times a second, the other once.
  await vi.waitFor(async () => {
    await endSessions(name);
    await expect(Promise.race([second.lease, Promise.resolve(null)])).resolves.not.toBeNull();
  }, PATIENCE);
  expect(lease.held()).toBe(false);
  await (await second.lease)?.serve({ peerId: 'peer-0', address: '/ip4/127.0.0.1/tcp/2/p2p/peer-0' });
  await vi.waitFor(() => expect(lease.lost.aborted).toBe(true), PATIENCE);
  expect((await rowOf(0))?.instance).toBe((await second.lease)?.instance);
});

it('is not held while PostgreSQL does not say so, and held again afterwards', async () => {
  const { name, lease } = await serving(0);
  const blocker = await admin.connect();
  try {
    await vi.waitFor(async () => {
      await endSessions(name);
      const { rows } = await blocker.query(
        `select pg_try_advisory_lock(hashtext('engine.workers'), 0) as locked`,
      );
      expect(rows).toEqual([{ locked: true }]);
    }, PATIENCE);
    await vi.waitFor(() => expect(lease.held()).toBe(false), PATIENCE);
    expect((await rowOf(0))?.alive).toBe(false);
  } finally {
    await blocker.query('select pg_advisory_unlock_all()');
    blocker.release();
  }
  await vi.waitFor(() => expect(lease.held()).toBe(true), PATIENCE);
  expect(lease.lost.aborted).toBe(false);
});

it('a sign of life that comes too late begins a new time awake', async () => {
  await serving(0);
  await admin.query(
    `update engine.workers set awake_since = now() - interval '1 hour', alive_until = now() + interval '4 seconds'`,
  );
  const before = await rowOf(0);
  await vi.waitFor(async () => {
    const { rows } = await admin.query(
      `select from engine.workers where alive_until > now() + interval '4.1 seconds'`,
    );
    expect(rows).toHaveLength(1);
  }, PATIENCE);
  expect((await rowOf(0))?.awake_since).toBe(before?.awake_since);
  await admin.query(`update engine.workers set alive_until = now()`);
  await vi.waitFor(async () => expect((await rowOf(0))?.alive).toBe(true), PATIENCE);
  expect((await rowOf(0))?.awake_since).not.toBe(before?.awake_since);
});

it('the first of those that live leads, and the next when it is gone', async () => {
  const zero = await serving(0);
  const one = await serving(1);
  await vi.waitFor(() => {
    for (const { lease } of [zero, one]) expect(lease.live().map(({ index }) => index)).toEqual([0, 1]);
  }, PATIENCE);
  expect([zero.lease.leads(), one.lease.leads()]).toEqual([true, false]);
  await zero.lease.release();
  await vi.waitFor(() => expect(one.lease.leads()).toBe(true), PATIENCE);
});

it('leaves word when it goes in order', async () => {
  const { lease } = await serving(0);
  await lease.release();
  const { rows } = await admin.query(
    'select alive_until <= clock_timestamp() as gone, stopped_at is not null as stopped from engine.workers',
  );
  expect(rows).toEqual([{ gone: true, stopped: true }]);
});
