import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { migrate } from '../../postgres/migrate.ts';
import { createPool } from '../../postgres/pool.ts';
import { processHealth } from './process-health.ts';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 2 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

it('a worker that is there is not back before its nodes are', async () => {
  // All times lie ahead: however slow this machine is, the worker lives, has just begun, and its node was there just now.
  const ahead = `now() + interval '1 hour'`;
  const instance = randomUUID();
  await pool.query(`insert into engine.processes values ('worker', '0', gen_random_uuid(), now(), ${ahead})`);
  await pool.query(
    `insert into engine.workers (index, peer_id, address, instance, started_at, awake_since, alive_until)
     values (0, 'peer', '/ip4/127.0.0.1/tcp/1/p2p/peer', $1, now(), ${ahead}, ${ahead})`,
    [instance],
  );
  const { workers } = processHealth(pool, { api: null, worker: 1, projector: null });
  const complete = { status: 'ok', have: 1, expected: 1, missing: [] };
  expect(await workers.probe()).toEqual(complete);

  await pool.query(`insert into engine.heartbeats (provider_id, last_seen) values ('node', ${ahead})`);
  await pool.query(
    `insert into engine.node_routes (provider_id, peer_id, engine_peer_id, connected_at)
     values ('node', 'of the node', 'peer', now())`,
  );
  expect(await workers.probe()).toEqual({
    ...complete,
    status: 'degraded',
    cause: 'nodes have yet to come back: 1 to worker',
  });
  await pool.query('update engine.node_routes set instance = $1', [instance]);
  expect(await workers.probe()).toEqual(complete);
});
