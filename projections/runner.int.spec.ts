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
import { type LedgerChange, ledger } from './ledger/projection.ts';
import { ledgerTotal } from './ledger/queries.ts';
import { describeParked } from './parked.ts';
import type { Projection } from './projection.ts';
import { providers } from './providers/projection.ts';
import { READ_MODELS } from './read-models.ts';
import { retryParked } from './retry.ts';
import { createRunner, prepareReadModels, type Runner } from './runner.ts';
import { dumpTable, withScratch } from './scratch.ts';
import { projectionStatus } from './status.ts';

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
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
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

describe('followed together', () => {
  /** A runner with a pool of its own, and the texts of all statements that it sends. */
  const observed = ({ database, store }: Bench): { readonly runner: Runner; readonly texts: string[] } => {
    const texts: string[] = [];
    const pool = createPool(database.url, { name: 'observed', max: 24 });
    pool.on('connect', (client) => {
      const query = client.query.bind(client) as (...args: unknown[]) => unknown;
      Object.assign(client, {
        query: (statement: unknown, ...rest: unknown[]) => {
          const text = typeof statement === 'string' ? statement : (statement as { text: string }).text;
          texts.push(text);
          return query(statement, ...rest);
        },
      });
    });
    cleanups.push(() => pool.end());
    return { runner: createRunner({ pool, store, log }), texts };
  };
  const begins = (texts: readonly string[]): number => texts.filter((text) => text === 'begin').length;

  it('an event costs one transaction and one notification, whatever the number of read models', async () => {
    const created = await bench();
    const { pool, store } = created;
    await prepareReadModels(pool, READ_MODELS);
    const { runner, texts } = observed(created);
    follow({ runner }, READ_MODELS);
    const checkpoints = checkpointsOf({ pool });
    const names = READ_MODELS.map(({ name }) => name);
    const appended = async (stream: string): Promise<void> => {
      await store.append({ stream, expectedRevision: -1n, events: [lateEvent] });
      const { position } = await store.head();
      expect(await checkpoints.waitFor(position, names, PATIENCE_MS)).toEqual({ ok: true });
    };
    await appended('subject-first');
    // The first may have met read models that had not come together yet.
    await expect
      .poll(async () => {
        texts.length = 0;
        await appended(`subject-${Math.random()}`);
        return begins(texts);
      })
      .toBe(1);
    expect(texts.filter((text) => text.includes('pg_notify'))).toHaveLength(1);
    expect(texts.filter((text) => text.includes('update fog.builds'))).toHaveLength(1);
  });

  it('one that cannot go on lets the others go, and they come together again', async () => {
    const created = await bench();
    const { pool, store } = created;
    await prepareReadModels(pool, READ_MODELS);
    const { runner, texts } = observed(created);
    follow({ runner }, READ_MODELS);
    const checkpoints = checkpointsOf({ pool });
    const others = READ_MODELS.filter(({ name }) => name !== auctions.name);
    const caughtUp = async (models: readonly Projection[]): Promise<void> => {
      const { position } = await store.head();
      const names = models.map(({ name }) => name);
      expect(await checkpoints.waitFor(position, names, PATIENCE_MS)).toEqual({ ok: true });
    };
    await store.append({ stream: 'subject-first', expectedRevision: -1n, events: [lateEvent] });
    await caughtUp(READ_MODELS);
    const live = (await projectionStatus(pool, 0n)).find(({ projection }) => projection === auctions.name);
    const table = `fog.auctions_b${live?.build}`;
    await pool.query(`alter table ${table} rename to auctions_away`);
    await tell(store, somePlot(2, 22));
    await caughtUp(others);
    await pool.query(`alter table fog.auctions_away rename to ${table.slice('fog.'.length)}`);
    await caughtUp(READ_MODELS);
    await expect
      .poll(
        async () => {
          texts.length = 0;
          await store.append({
            stream: `subject-${Math.random()}`,
            expectedRevision: -1n,
            events: [lateEvent],
          });
          await caughtUp(READ_MODELS);
          return begins(texts);
        },
        { timeout: PATIENCE_MS },
      )
      .toBe(1);
    for (const projection of READ_MODELS)
      expect(await compareWithRebuild(pool, store, projection)).toEqual([]);
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
  /** The projection with a fold that cannot digest some events while `armed`. */
  const poisonAt = (
    projection: Projection,
    isBad: (event: RecordedEvent) => boolean,
    armed: () => boolean = () => true,
  ): Projection => ({
    ...projection,
    fold: (batch, before) => {
      if (armed() && batch.some(isBad)) throw new Error('cannot digest');
      return projection.fold(batch, before);
    },
  });
  const statusOf = async (pool: Pool, name: string) =>
    (await projectionStatus(pool, 0n)).find(({ projection }) => projection === name);
  const parkedBy = async (pool: Pool, { name }: Projection) => (await statusOf(pool, name))?.parked ?? [];

  /** What an old engine without a gate would have stored: the text of an event with `change`. */
  const forge = async (pool: Pool, event: RecordedEvent, change: (envelope: string) => string) => {
    const { rows } = await pool.query<{ envelope: string }>(
      'select envelope from log.events where position = $1',
      [event.position],
    );
    const before = rows[0]?.envelope ?? '';
    const after = change(before);
    expect(after).not.toBe(before);
    await pool.query('update log.events set envelope = $2 where position = $1', [event.position, after]);
  };
  const firstOf = async (store: EventStore, type: string): Promise<RecordedEvent> => {
    const [event] = await store.readAll({ after: 0n, limit: 1, types: [type] });
    if (!event) throw new Error(`the plot has no ${type}`);
    return event;
  };

  it('parks its row and names it, and everything else goes on', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(8, 12));
    const bad = await firstOf(store, 'auction.closed');
    let armed = true;
    const poisoned = poisonAt(
      auctions,
      ({ id }) => id === bad.id,
      () => armed,
    );
    await prepareReadModels(pool, [poisoned, ledger]);
    follow({ runner }, [poisoned, ledger]);
    const checkpoints = checkpointsOf({ pool });
    const { position } = await store.head();
    expect(await checkpoints.waitFor(position, ['ledger', 'auctions'], PATIENCE_MS)).toEqual({ ok: true });

    const parked = {
      key: bad.stream,
      stream: bad.stream,
      position: bad.position,
      type: 'auction.closed',
      error: 'cannot digest',
    };
    expect(await parkedBy(pool, auctions)).toEqual([parked]);
    expect(await statusOf(pool, 'auctions')).toMatchObject({ position, parkings: 1 });
    const problem = `${bad.stream} is parked at auction.closed (position ${bad.position}): cannot digest`;
    expect(await compareWithRebuild(pool, store, poisoned)).toEqual([{ table: 'auctions', problem }]);

    // Its row stands as before the event.
    const rowOf = `select state from fog.auctions where auction_id = $1`;
    expect((await pool.query(rowOf, [bad.stream])).rows).toEqual([{ state: 'open' }]);
    expect(await retryParked(pool, store, poisoned)).toEqual([{ key: bad.stream, parked }]);
    armed = false;
    expect(await retryParked(pool, store, poisoned, [bad.stream])).toEqual([
      { key: bad.stream, parked: null },
    ]);
    expect(await compareWithRebuild(pool, store, auctions)).toEqual([]);
    expect(await parkedBy(pool, auctions)).toEqual([]);
    expect(await retryParked(pool, store, poisoned)).toEqual([]);
    await expect(retryParked(pool, store, poisoned, [bad.stream])).rejects.toThrow(RangeError);
  });

  it('is parked by a rebuild and by a new version as well: both are byte-equal to the live build', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(8, 12));
    const bad = await firstOf(store, 'auction.closed');
    const poisoned = poisonAt(auctions, ({ id }) => id === bad.id);
    await runner.catchUp(poisoned);
    const [before, parked] = [await dump(pool, auctions), await parkedBy(pool, auctions)];
    expect(parked).toHaveLength(1);
    for (const version of [1, 2]) {
      await runner.rebuild({ ...poisoned, version });
      expect(await dump(pool, auctions)).toEqual(before);
      expect(await parkedBy(pool, auctions)).toEqual(parked);
    }
    expect((await pool.query('select from fog.parked')).rowCount).toBe(1);
  });

  it('R120: whatever is poison and wherever batches end, live and rebuilt models are byte-equal, and Σ stays zero', async () => {
    for (const seed of [31, 32, 33]) {
      const { pool, store, runner } = await bench();
      const isBad = ({ position }: RecordedEvent): boolean => (Number(position) * 7919 + seed) % 7 === 0;
      const models = READ_MODELS.map((projection) => poisonAt(projection, isBad));
      await tellInPieces(store, somePlot(2, seed), async () => {
        for (const model of models) await runner.catchUp(model);
      });
      let parkings = 0;
      for (const model of models) {
        const [live, parked] = [await dump(pool, model), await parkedBy(pool, model)];
        expect(await compareWithRebuild(pool, store, model)).toEqual(
          parked.map((each) => ({ table: model.name, problem: describeParked(each) })),
        );
        await runner.rebuild(model);
        expect(await dump(pool, model)).toEqual(live);
        expect(await parkedBy(pool, model)).toEqual(parked);
        parkings += parked.length;
      }
      expect(parkings).toBeGreaterThan(5);
      expect(await ledgerTotal(pool)).toBe('0');
      for (const model of READ_MODELS) {
        await retryParked(pool, store, model);
        expect(await compareWithRebuild(pool, store, model)).toEqual([]);
      }
      expect((await pool.query('select from fog.parked')).rowCount).toBe(0);
    }
  });

  it('with U+0000 or half a surrogate pair, stored before there was a gate, shows with marks and stops nothing', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(2, 12));
    const [job, provider] = [
      await firstOf(store, 'job.submitted'),
      await firstOf(store, 'provider.registered'),
    ];
    await forge(pool, job, (envelope) =>
      envelope.replace(/"args":\[[^\]]*\]/, String.raw`"args":["a\u0000b","\ud800","\\u0000"]`),
    );
    await forge(pool, provider, (envelope) => envelope.replace(/"region":"/, String.raw`$&\u0000`));
    for (const projection of READ_MODELS) {
      await runner.catchUp(projection);
      await runner.rebuild(projection);
      expect(await parkedBy(pool, projection)).toEqual([]);
      expect(await compareWithRebuild(pool, store, projection)).toEqual([]);
    }
    const { rows: jobRows } = await pool.query('select args from fog.jobs where job_id = $1', [job.stream]);
    expect(jobRows).toEqual([{ args: ['a\u2400b', '\ufffd', '\\u0000'] }]);
    const { rows } = await pool.query('select region from fog.providers where provider_id = $1', [
      provider.stream,
    ]);
    expect(rows).toEqual([{ region: expect.stringMatching(/^\u2400./) }]);
  });

  it.each<[string, string, (envelope: string) => string, string]>([
    [
      'a number that no column holds',
      'provider.registered',
      (text) => text.replace(/"asn":\d+/, '"asn":1e300'),
      'asn is no long',
    ],
    [
      'a day that does not exist',
      'provider.registered',
      (text) => text.replace(/"registeredAt":"[^"]*"/, '"registeredAt":"2026-02-30T00:00:00Z"'),
      'registered_at is no instant',
    ],
    [
      'the name of another stream',
      'provider.registered',
      (text) => text.replace(/"providerId":"[^"]*"/, '"providerId":"provider-of-somebody-else"'),
      'names another stream',
    ],
    [
      'nothing where something must be',
      'provider.attested',
      (text) => text.replace(/"data":\{.*?\},"id"/, '"data":{"platform":7,"expiresAt":9,"label":8},"id"'),
      'label is no text',
    ],
  ])('with %s is parked alone, though it came with many others', async (_, type, change, error) => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(4, 12));
    const bad = await firstOf(store, type);
    await forge(pool, bad, change);
    const build = await runner.catchUp(providers);
    expect(build.position).toBe((await store.head()).position);
    expect(await parkedBy(pool, providers)).toMatchObject([
      { key: bad.stream, position: bad.position, error: expect.stringContaining(error) },
    ]);
    expect(await compareWithRebuild(pool, store, providers)).toHaveLength(1);
    await runner.rebuild(providers);
    expect(await parkedBy(pool, providers)).toMatchObject([{ key: bad.stream, position: bad.position }]);
  });

  it('of the ledger is left out whole: other entries of the same accounts are booked, and Σ stays zero', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(4, 12));
    const entries = await store.readAll({ after: 0n, limit: 10_000, types: ledger.handles });
    const bad = entries[Math.floor(entries.length / 2)] as RecordedEvent;
    await forge(pool, bad, (envelope) => envelope.replace(/"amount":"-?/, '$&1'));
    await runner.catchUp(ledger);
    expect(await parkedBy(pool, ledger)).toMatchObject([
      { key: bad.id, position: bad.position, error: expect.stringMatching(/does not balance/) },
    ]);
    expect(await ledgerTotal(pool)).toBe('0');
    const { rows } = await pool.query('select distinct position from fog.ledger_postings');
    expect(rows).toHaveLength(entries.length - 1);
  });

  it('is what the rows are, not what the server is: a table that is gone parks nobody', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(1, 12));
    await prepareReadModels(pool, [ledger]);
    const broken: Projection = {
      ...ledger,
      apply: async (session) => {
        await session.query('insert into fog.no_such_table values (1)');
      },
    };
    await expect(runner.catchUp(broken)).rejects.toThrow(/no_such_table/);
    expect(await statusOf(pool, 'ledger')).toMatchObject({ position: 0n, parked: [] });
    await runner.catchUp(ledger);
    expect(await compareWithRebuild(pool, store, ledger)).toEqual([]);
  });

  it('that the table alone refuses is found by halving, and the transaction goes on', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(2, 12));
    const bad = await firstOf(store, 'ledger.entry-posted');
    const refusing: Projection = {
      ...ledger,
      apply: async (session, rows, names) => {
        const { postings } = rows as LedgerChange;
        if (postings.some(({ position }) => position === String(bad.position)))
          await session.query('select 1 / 0');
        await ledger.apply(session, rows as LedgerChange, names);
      },
    };
    await runner.catchUp(refusing);
    expect(await parkedBy(pool, ledger)).toMatchObject([{ key: bad.id, error: 'division by zero' }]);
    expect(await retryParked(pool, store, ledger)).toEqual([{ key: bad.id, parked: null }]);
    expect(await compareWithRebuild(pool, store, ledger)).toEqual([]);
  });

  it('is released under a follower that was about to pass its key by: nothing is lost', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(8, 12));
    const bad = await firstOf(store, 'auction.closed');
    let armed = true;
    const poisoned = poisonAt(
      auctions,
      ({ id }) => id === bad.id,
      () => armed,
    );
    await runner.catchUp(poisoned);
    armed = false;

    // One more event of the parked auction arrives, and the follower has read it past when the key is released.
    const writing = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const held: Projection = {
      ...auctions,
      load: async (...args) => {
        writing.resolve();
        await released.promise;
        return auctions.load(...args);
      },
    };
    const other = await otherAuction(store, bad.stream);
    follow({ runner }, [held]);
    const told = { type: 'auction.lapsed', data: { lapsedAt: '2026-01-01T00:00:00.000Z' } };
    const requests = await Promise.all(
      [bad.stream, other].map(async (stream) => ({
        stream,
        expectedRevision: BigInt((await store.readStream(stream)).length - 1),
        events: [{ ...lateEvent, ...told }],
      })),
    );
    // In one step, so that the follower meets both in one page.
    const result = await store.appendMany(requests);
    const position = result.ok ? result.position : 0n;
    await writing.promise;
    expect(await retryParked(pool, store, auctions)).toEqual([{ key: bad.stream, parked: null }]);
    released.resolve();
    expect(await checkpointsOf({ pool }).waitFor(position, ['auctions'], PATIENCE_MS)).toEqual({ ok: true });
    expect(await compareWithRebuild(pool, store, auctions)).toEqual([]);
    const { rows } = await pool.query('select state from fog.auctions where auction_id = $1', [bad.stream]);
    expect(rows).toEqual([{ state: 'lapsed' }]);
  });
});

const otherAuction = async (store: EventStore, not: string): Promise<string> => {
  const opened = await store.readAll({ after: 0n, limit: 1000, types: ['auction.opened'] });
  const found = opened.find(({ stream }) => stream !== not);
  if (!found) throw new Error('the plot has one auction only');
  return found.stream;
};

describe('a new version', () => {
  it('is built by the follower beside the old one and swapped in', async () => {
    const { pool, store, runner } = await bench();
    await tell(store, somePlot(2, 13));
    await runner.catchUp(jobs);
    const next: Projection = { ...jobs, version: jobs.version + 1 };
    follow({ runner }, [next]);
    await expect
      .poll(async () => (await projectionStatus(pool, 0n))[0]?.version, { timeout: PATIENCE_MS })
      .toBe(jobs.version + 1);
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
