import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { kill } from 'node:process';
import type { Pool, PoolClient } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { createIdempotencyKeys, type IdempotencyKeys } from './keys.ts';

const masterKey = new Uint8Array(32).fill(7);
let database: TestDatabase;
const processes: { readonly keys: IdempotencyKeys; readonly pool: Pool }[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
});
afterAll(async () => {
  for (const { keys, pool } of processes) {
    await keys.close();
    await pool.end();
  }
  await database.drop();
});

/** The keys of one process: a pool of its own, as a process has, whose first connection holds the lock. */
const process = async () => {
  const pool = createPool(database.url, { name: 'test', max: 4 });
  const first = once(pool, 'connect') as Promise<[KeeperClient]>;
  const lost = Promise.withResolvers<void>();
  const keys = await createIdempotencyKeys({ pool, masterKey, onError: () => lost.resolve() });
  processes.push({ keys, pool });
  return { keys, pool, keeper: (await first)[0], lost: lost.promise };
};

/** What pg's types leave out. */
type KeeperClient = PoolClient & {
  readonly processID: number;
  readonly connection: { readonly stream: Socket };
};

const answer = { status: 201, mediaType: 'application/json', body: '{"id":1}' };

describe('idempotency keys', () => {
  it('R168: answers once, and from the store afterwards, in any process', async () => {
    const [a, b] = [await process(), await process()];
    expect(await a.keys.claim('p', 'k1', 'request')).toEqual({ type: 'claimed' });
    expect(await a.keys.claim('p', 'k1', 'request')).toEqual({ type: 'in-flight' });
    expect(await b.keys.claim('p', 'k1', 'request')).toEqual({ type: 'in-flight' });
    expect(await b.keys.claim('p', 'k1', 'another')).toEqual({ type: 'mismatch' });
    await a.keys.complete('p', 'k1', answer);
    expect(await b.keys.claim('p', 'k1', 'request')).toEqual({ type: 'answered', answer });
    expect(await b.keys.claim('q', 'k1', 'another')).toEqual({ type: 'claimed' });
  });

  it('R70: stores no hash by which a reader of the table could try prices of a bid', async () => {
    const { keys, pool } = await process();
    await keys.claim('p', 'guess', 'request');
    const { rows } = await pool.query<{ hash: Buffer }>(
      `select request_hash as hash from engine.idempotency_keys where key = 'guess'`,
    );
    expect(rows[0]?.hash).toHaveLength(32);
    expect(rows[0]?.hash).not.toEqual(createHash('sha256').update('request').digest());
  });

  it('R168: lets one of many parallel requests through', async () => {
    const [a, b] = [await process(), await process()];
    const claims = await Promise.all(
      Array.from({ length: 12 }, (_, n) => (n % 2 ? a : b).keys.claim('p', 'parallel', 'request')),
    );
    expect(claims.filter(({ type }) => type === 'claimed')).toHaveLength(1);
  });

  it('gives a released key to the next', async () => {
    const { keys } = await process();
    await keys.claim('p', 'released', 'request');
    await keys.release('p', 'released');
    expect(await keys.claim('p', 'released', 'request')).toEqual({ type: 'claimed' });
  });

  it('takes over what a dead process left, at once, and not what a living one holds', async () => {
    const [dead, alive] = [await process(), await process()];
    await dead.keys.claim('p', 'crashed', 'request');
    expect(await alive.keys.claim('p', 'crashed', 'request')).toEqual({ type: 'in-flight' });
    await dead.keys.close();
    // The server ends a session a moment after its client has.
    await vi.waitFor(async () => {
      const claims = await Promise.all([
        alive.keys.claim('p', 'crashed', 'request'),
        alive.keys.claim('p', 'crashed', 'request'),
      ]);
      expect(claims.map(({ type }) => type).sort()).toEqual(['claimed', 'in-flight']);
    });
  });

  it('has a row of its own back that is not in flight here, and never one that is', async () => {
    const { keys, pool } = await process();
    await keys.claim('p', 'running', 'request');
    // As a claim leaves it whose answer was lost on the way.
    await pool.query(
      `insert into engine.idempotency_keys (principal_id, key, request_hash, holder)
       select principal_id, 'lost', request_hash, holder from engine.idempotency_keys where key = 'running'`,
    );
    const claims = await Promise.all(Array.from({ length: 3 }, () => keys.claim('p', 'lost', 'request')));
    expect(claims.map(({ type }) => type).sort()).toEqual(['claimed', 'in-flight', 'in-flight']);
    expect(await keys.claim('p', 'running', 'request')).toEqual({ type: 'in-flight' });
    expect(await keys.claim('p', 'running', 'another')).toEqual({ type: 'mismatch' });
  });

  it('waits for no connection of its own that the server has not yet given up', async () => {
    const { keys, keeper, lost } = await process();
    kill(keeper.processID, 'SIGSTOP');
    try {
      keeper.connection.stream.destroy(new Error('the network is gone'));
      await lost;
      expect(await keys.claim('p', 'reconnected', 'request')).toEqual({ type: 'claimed' });
    } finally {
      kill(keeper.processID, 'SIGCONT');
    }
  });

  it('goes on after its connections were cut', async () => {
    const { keys, pool, lost } = await process();
    const other = await process();
    await keys.claim('p', 'before', 'request');
    await other.pool.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    await lost;
    // The pool notices its other cut connections one by one, as queries meet them.
    const claim = await vi.waitFor(() => keys.claim('p', 'after', 'request'));
    expect(claim).toEqual({ type: 'claimed' });
    expect(pool.totalCount).toBeGreaterThan(0);
  });

  it('forgets a key after 24 hours', async () => {
    const { keys, pool } = await process();
    await keys.claim('p', 'old', 'request');
    await keys.complete('p', 'old', answer);
    const age = () =>
      pool.query(
        `update engine.idempotency_keys set created_at = now() - interval '24 hours 1 second' where key = 'old'`,
      );
    await age();
    expect(await keys.claim('p', 'old', 'another')).toEqual({ type: 'claimed' });
    await age();
    await keys.sweep();
    expect((await pool.query(`select from engine.idempotency_keys where key = 'old'`)).rowCount).toBe(0);
  });
});
