import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../domain/event.ts';
import type { EventStore } from '../domain/ports/event-store.ts';
import { createPostgresEventStore } from '../infra/event-store/postgres/store.ts';
import { migrate } from '../infra/postgres/migrate.ts';
import { createPool } from '../infra/postgres/pool.ts';
import { createTestDatabase, type TestDatabase } from '../test/support/postgres.ts';
import { plots, tell } from '../test/support/stories.ts';
import { auctions } from './auctions/projection.ts';
import { createCheckpoints } from './checkpoints.ts';
import { compareWithRebuild } from './compare.ts';
import { jobs } from './jobs/projection.ts';
import { ledger } from './ledger/projection.ts';
import type { Projection } from './projection.ts';
import { READ_MODELS } from './read-models.ts';
import { createRunner, prepareReadModels, type Runner } from './runner.ts';
import { dumpTable, withScratch } from './scratch.ts';
import { projectionStatus, resumeProjection } from './status.ts';

const log = pino({ level: 'silent' });
const PATIENCE_MS = 20_000;

interface Bench {
  readonly database: TestDatabase;
  readonly pool: Pool;
  readonly store: EventStore;
  readonly runner: Runner;
}

const benches: Bench[] = [];
/** What a test started; ended before its database goes, also when it failed. */
const cleanups: (() => Promise<unknown>)[] = [];

/** Follows the log in the background. */
const follow = (
  { runner }: Pick<Bench, 'runner'>,
  projections: readonly Projection[],
): (() => Promise<void>) => {
  const stop = new AbortController();
  const running = runner.run(projections, stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  cleanups.push(end);
  return end;
};

const checkpointsOf = ({ pool }: Pick<Bench, 'pool'>, pollMs = 50) => {
  const checkpoints = createCheckpoints({ pool, pollMs });
  cleanups.push(() => checkpoints.close());
  return checkpoints;
};

const bench = async (): Promise<Bench> => {
  const database = await createTestDatabase();
  await migrate(database.url);
  const pool = createPool(database.url, { name: 'test', max: 24 });
  const store = createPostgresEventStore({ pool });
  const created = { database, pool, store, runner: createRunner({ pool, store, log }) };
  benches.push(created);
  return created;
};

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
  for (const { database, pool, store } of benches.splice(0)) {
    await store.close();
    await pool.end();
    await database.drop();
  }
});

const dump = async (pool: Pool, projection: Projection): Promise<string[]> =>
  (await Promise.all(projection.tables.map((table) => dumpTable(pool, `fog.${table}`)))).flat();

const somePlot = (rounds: number, seed: number) =>
  fc.sample(plots({ min: rounds, max: rounds }), { numRuns: 1, seed })[0] as Parameters<typeof tell>[1];

/** Tells a plot in pieces, calling `between` after each. */
const tellInPieces = async (
  store: EventStore,
  plot: Parameters<typeof tell>[1],
  between: () => Promise<void>,
) => {
  const appends = {
    append: async (...args: Parameters<EventStore['append']>) => {
      const result = await store.append(...args);
      pieces++;
      if (pieces % 5 === 0) await between();
      return result;
    },
  };
  let pieces = 0;
  await tell({ ...store, ...appends }, plot);
  await between();
};

describe('catching up and rebuilding', () => {
  it('R120: a rebuild, a live build and a scratch build of the same events are byte-equal', async () => {
    const { pool, store, runner } = await bench();
    const shown = new Set<string>();
    let seed = 1;
    for (const rounds of [1, 2, 3]) {
      // Streams begin once: every plot gets a database of its own.
      const own = rounds === 1 ? { pool, store, runner } : await bench();
      await tellInPieces(own.store, somePlot(rounds, seed++), async () => {
        for (const projection of READ_MODELS) await own.runner.catchUp(projection);
      });
      for (const projection of READ_MODELS) {
        const live = await dump(own.pool, projection);
        expect(await compareWithRebuild(own.pool, own.store, projection)).toEqual([]);
        const before = await own.runner.catchUp(projection);
        const after = await own.runner.rebuild(projection);
        expect(after.build).toBe(before.build + 1);
        expect(await dump(own.pool, projection)).toEqual(live);
        if (live.length > 0) shown.add(projection.name);
      }
    }
    expect([...shown].sort()).toEqual(READ_MODELS.map(({ name }) => name).sort());
  });

  it('a log of many pages is projected as one', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(150, 3));
    for (const projection of [jobs, ledger]) {
      await runner.catchUp(projection);
      expect(await compareWithRebuild(pool, store, projection)).toEqual([]);
    }
    const handled = await store.readAll({ after: 0n, limit: 10_000, types: jobs.handles });
    expect(handled.length).toBeGreaterThan(1000);
    const rows = jobs.fold(handled, new Map());
    expect((await pool.query('select from fog.jobs')).rowCount).toBe(rows.length);
    const { rows: live } = await pool.query('select job_id, state from fog.jobs order by job_id');
    expect(live).toEqual(
      rows
        .map(({ jobId, state }) => ({ job_id: jobId, state }))
        .sort((a, b) => (a.job_id < b.job_id ? -1 : 1)),
    );
  });

  it('projects the past: a scratch build up to a position knows nothing later', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(2, 5));
    const head = await store.head();
    await runner.catchUp(jobs);
    const at = (until: bigint) =>
      withScratch(pool, store, jobs, async ({ session, names, fill }) => {
        await fill(until);
        return dumpTable(session, names('jobs'));
      });
    expect(await at(head.position)).toEqual(await dump(pool, jobs));
    const first = (
      await store.readAll({ after: 0n, limit: 1, types: ['job.submitted'] })
    )[0] as RecordedEvent;
    const then = await at(first.position);
    expect(then).toHaveLength(1);
    expect(JSON.parse(then[0] as string)).toMatchObject({ position: Number(first.position) });
  });

  it('shows the old build until the new one is complete, and deletes it then', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(1, 6));
    await runner.catchUp(auctions);
    const before = await dump(pool, auctions);
    const next: Projection = { ...auctions, version: 2 };
    await runner.rebuild(next);
    expect(await dump(pool, auctions)).toEqual(before);
    const { rows } = await pool.query(
      `select table_name from information_schema.tables where table_schema = 'fog' and table_name like 'auctions%' order by 1`,
    );
    expect(rows.map((row) => row.table_name)).toEqual(['auctions', 'auctions_b2']);
    expect((await projectionStatus(pool, 0n)).map(({ version, build }) => [version, build])).toEqual([
      [2, 2],
    ]);
  });
});

describe('failing midway', () => {
  it('R120: a session killed between the rows and the commit loses and doubles nothing', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(2, 9));
    let applied = 0;
    // The ledger adds to balances: applying a batch twice would show.
    const dying: Projection = {
      ...ledger,
      apply: async (session, rows, names) => {
        await ledger.apply(session, rows as never, names);
        applied++;
        if (applied % 2 === 1) await session.query('select pg_terminate_backend(pg_backend_pid())');
      },
    };
    await expect(runner.catchUp(dying)).rejects.toThrow();
    expect((await projectionStatus(pool, 0n))[0]?.position).toBe(0n);
    expect(await dump(pool, ledger)).toEqual([]);
    await runner.catchUp(dying);
    expect(applied).toBe(2);
    expect(await compareWithRebuild(pool, store, ledger)).toEqual([]);
  });

  it('a follower whose sessions are killed goes on by itself', async () => {
    const { pool, store, runner } = await bench();
    await prepareReadModels(pool, READ_MODELS);
    follow({ runner }, READ_MODELS);
    const checkpoints = checkpointsOf({ pool });
    const names = READ_MODELS.map(({ name }) => name);
    await tellInPieces(store, somePlot(2, 10), async () => {
      await pool.query(
        `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database =
           (select oid from pg_database where datname = current_database()) and pid <> pg_backend_pid()`,
      );
    });
    const { position } = await store.head();
    expect(await checkpoints.waitFor(position, names, PATIENCE_MS)).toEqual({ ok: true });
    for (const projection of READ_MODELS)
      expect(await compareWithRebuild(pool, store, projection)).toEqual([]);
  });

  it('two runners do not fight: one leads, the other takes over', async () => {
    const { pool, store, runner, database } = await bench();
    await prepareReadModels(pool, [ledger]);
    const otherPool = createPool(database.url, { name: 'other', max: 8 });
    const other = createRunner({ pool: otherPool, store, log });
    const endFirst = follow({ runner }, [ledger]);
    const checkpoints = checkpointsOf({ pool });
    await tell(store, somePlot(1, 11));
    const { position } = await store.head();
    expect(await checkpoints.waitFor(position, ['ledger'], PATIENCE_MS)).toEqual({ ok: true });
    await expect(other.catchUp(ledger)).rejects.toThrow(/another process/);
    const endSecond = follow({ runner: other }, [ledger]);
    await endFirst();
    await store.append({ stream: 'subject-late', expectedRevision: -1n, events: [lateEvent] });
    expect(await checkpoints.waitFor(position + 1n, ['ledger'], PATIENCE_MS)).toEqual({ ok: true });
    await endSecond();
    await otherPool.end();
  });
});

const lateEvent = {
  type: 'subject.enrolled',
  schemaVersion: 1,
  data: {},
  occurredAt: '2026-01-01T00:00:00.000Z',
  actor: 'engine',
  correlationId: 'c',
  causationId: 'c',
  traceparent: null,
};

describe('a poison event', () => {
  const poisonAt = (projection: Projection, type: string, armed: () => boolean): Projection => ({
    ...projection,
    fold: (batch, before) => {
      if (armed() && batch.some((event) => event.type === type)) throw new Error('cannot digest');
      return projection.fold(batch, before);
    },
  });

  it('stops its projection where it stands, tells why, and lets the others go on', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(8, 12));
    let armed = true;
    const poisoned = poisonAt(auctions, 'auction.closed', () => armed);
    await prepareReadModels(pool, [poisoned, ledger]);
    follow({ runner }, [poisoned, ledger]);
    const checkpoints = checkpointsOf({ pool });
    const { position } = await store.head();
    expect(await checkpoints.waitFor(position, ['ledger'], PATIENCE_MS)).toEqual({ ok: true });

    const [bad] = await store.readAll({ after: 0n, limit: 1, types: ['auction.closed'] });
    expect(bad).toBeDefined();
    await expect
      .poll(
        async () =>
          (await projectionStatus(pool, position)).find(({ projection }) => projection === 'auctions'),
        {
          timeout: PATIENCE_MS,
        },
      )
      .toMatchObject({
        failure: { position: bad?.position, type: 'auction.closed', error: 'cannot digest', version: 1 },
      });
    const [status] = await projectionStatus(pool, position);
    expect(status?.position).toBeLessThan(bad?.position as bigint);
    expect(status?.lag).toBe(position - (status?.position as bigint));
    expect(await compareWithRebuild(pool, store, auctions)).toEqual([
      { table: 'auctions', problem: expect.stringContaining('cannot digest') },
    ]);
    expect(await checkpoints.waitFor(position, ['auctions'], 300)).toMatchObject({
      code: 'RESOURCE_UNAVAILABLE',
    });

    armed = false;
    expect(await resumeProjection(pool, 'auctions')).toBe(true);
    expect(await checkpoints.waitFor(position, ['auctions'], PATIENCE_MS)).toEqual({ ok: true });
    expect(await compareWithRebuild(pool, store, auctions)).toEqual([]);
    expect(await resumeProjection(pool, 'auctions')).toBe(false);
  });

  it('a new version that meets it leaves the old build in place', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(8, 12));
    await runner.catchUp(auctions);
    const before = await dump(pool, auctions);
    const next = poisonAt({ ...auctions, version: 2 }, 'auction.closed', () => true);
    await expect(runner.rebuild(next)).rejects.toThrow(/stopped at auction\.closed .*cannot digest/);
    expect(await dump(pool, auctions)).toEqual(before);
    expect((await pool.query('select from fog.builds')).rowCount).toBe(1);
  });

  it('rows that the table refuses are poison, too', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(1, 12));
    const broken: Projection = {
      ...ledger,
      apply: async (session) => {
        await session.query('select 1 / 0');
      },
    };
    const build = await runner.catchUp(broken);
    expect(build.failure).toMatchObject({ type: 'ledger.entry-posted', error: 'division by zero' });
    expect((await projectionStatus(pool, 0n))[0]?.failure).toEqual(build.failure);
  });
});

describe('a new version', () => {
  it('is built by the follower beside the old one and swapped in', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(2, 13));
    await runner.catchUp(jobs);
    const next: Projection = { ...jobs, version: 2 };
    follow({ runner }, [next]);
    await expect
      .poll(async () => (await projectionStatus(pool, 0n))[0]?.version, { timeout: PATIENCE_MS })
      .toBe(2);
    const checkpoints = checkpointsOf({ pool });
    expect(await checkpoints.waitFor((await store.head()).position, ['jobs'], PATIENCE_MS)).toEqual({
      ok: true,
    });
    expect(await compareWithRebuild(pool, store, next)).toEqual([]);
  });

  it('waits with the swap for a reader that is not done, and lets others read meanwhile', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(1, 16));
    await runner.catchUp(ledger);
    const reader = await pool.connect();
    await reader.query('begin');
    await reader.query('select from fog.ledger_accounts');
    const rebuilding = runner.rebuild(ledger);
    const waiting = `select from pg_locks where not granted and mode = 'AccessExclusiveLock'`;
    await expect.poll(async () => (await pool.query(waiting)).rowCount, { interval: 5 }).toBe(1);
    expect((await pool.query('select from fog.ledger_accounts')).rowCount).toBeGreaterThan(0);
    expect((await projectionStatus(pool, 0n))[0]?.build).toBe(1);
    await reader.query('commit');
    reader.release();
    expect((await rebuilding).build).toBe(2);
    expect(await compareWithRebuild(pool, store, ledger)).toEqual([]);
  });

  it('a comparison and rebuilds at the same time raise no false alarm', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(2, 17));
    await runner.catchUp(jobs);
    let done = false;
    const rebuilding = (async () => {
      for (let count = 0; count < 6; count++) await runner.rebuild(jobs);
      done = true;
    })();
    while (!done) expect(await compareWithRebuild(pool, store, jobs)).toEqual([]);
    await rebuilding;
  });

  it('a rebuild while events arrive and the follower runs misses none', async () => {
    const { pool, store, runner } = await bench();
    await prepareReadModels(pool, [ledger]);
    follow({ runner }, [ledger]);
    const rebuilding = (async () => {
      for (let count = 0; count < 5; count++) await runner.rebuild(ledger);
    })();
    await tell(store, somePlot(4, 14));
    await rebuilding;
    const checkpoints = checkpointsOf({ pool });
    expect(await checkpoints.waitFor((await store.head()).position, ['ledger'], PATIENCE_MS)).toEqual({
      ok: true,
    });
    expect(await compareWithRebuild(pool, store, ledger)).toEqual([]);
    expect((await projectionStatus(pool, 0n))[0]?.build).toBe(6);
  });
});

describe('reading your writes', () => {
  let shared: Bench;
  beforeAll(async () => {
    shared = await bench();
    benches.splice(0);
  });
  afterAll(async () => {
    benches.push(shared);
  });

  it('waits for the position, woken by the notification long before it would poll', async () => {
    const { pool, store, runner } = shared;
    await prepareReadModels(pool, [ledger]);
    follow({ runner }, [ledger]);
    const checkpoints = checkpointsOf({ pool }, PATIENCE_MS);
    const early = checkpoints.waitFor(1n, ['ledger'], PATIENCE_MS);
    await expect
      .poll(
        async () => (await pool.query(`select from pg_stat_activity where query like 'listen %'`)).rowCount,
      )
      .toBeGreaterThan(0);
    const started = performance.now();
    await tell(store, somePlot(1, 15));
    expect(await early).toEqual({ ok: true });
    const { position } = await store.head();
    expect(await checkpoints.waitFor(position, ['ledger'], PATIENCE_MS)).toEqual({ ok: true });
    expect(performance.now() - started).toBeLessThan(PATIENCE_MS / 2);
  });

  it('gives up in time on a position that does not come', async () => {
    const checkpoints = checkpointsOf(shared, 20);
    expect(await checkpoints.waitFor(10_000n, ['ledger'], 100)).toMatchObject({
      ok: false,
      code: 'RESOURCE_UNAVAILABLE',
    });
    expect(await checkpoints.waitFor(0n, ['nothing-of-this-name'], 50)).toMatchObject({ ok: false });
  });
});
