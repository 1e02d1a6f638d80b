import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { type PostgresServer, startPostgres } from '../../infra/stack/postgres.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { stall } from '../support/stall.ts';

/** Less than HTTP clients wait, on a machine that is busy; a server that hangs would take for ever. */
const BOUND_MS = 60_000;

let directory: string;
let server: PostgresServer;
let pool: Pool;
let store: EventStore;
let api: ApiServer;
let goOn: () => void = () => undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'aivillage-api-hang-'));
  // As root, the server runs as another user.
  await chmod(directory, 0o755);
  server = await startPostgres({
    directory: join(directory, 'postgres'),
    logFile: join(directory, 'postgres.log'),
    password: null,
    durable: false,
  });
  await migrate(server.url);
  pool = createPool(server.url, { name: 'test', max: 4 });
  store = createPostgresEventStore({ pool });
  api = await startApiServer({ databaseUrl: server.url, pool, store });
});
afterAll(async () => {
  goOn();
  await api?.stop();
  await store?.close();
  await pool?.end();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

test('while PostgreSQL hangs every request is answered, with 503, and with 200 afterwards', {
  timeout: 2 * BOUND_MS,
}, async () => {
  const auditor = await api.enrol('auditor');
  const reads = ['/v1/events?limit=1', '/v1/system/info', '/v1/log/anchors'];
  const readAll = () => Promise.all(reads.map((path) => auditor.rest.get<{ code?: string }>(path)));
  const healthy = await readAll();
  expect(healthy.map(({ status }) => status)).toEqual(reads.map(() => 200));

  goOn = stall(server.pid);
  const begun = performance.now();
  const hung = await readAll();
  expect(performance.now() - begun).toBeLessThan(BOUND_MS);
  for (const { status, headers, body } of hung) {
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'RESOURCE_UNAVAILABLE' });
    expect(headers.get('Retry-After')).toBe('1');
  }
  goOn();
  await expect
    .poll(async () => (await readAll()).map(({ status }) => status), { timeout: BOUND_MS })
    .toEqual(reads.map(() => 200));
});
