import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { type ApiServer, type Caller, startApiServer } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { byToken, createRest, type Rest } from '../support/rest.ts';

const PATIENCE = { timeout: 30_000, interval: 20 };
const LIMIT = 200;

let database: TestDatabase;
let pool: Pool;
let store: EventStore;
let here: ApiServer;
let there: ApiServer;
let admin: Caller;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 4 });
  store = createPostgresEventStore({ pool });
  const common = { databaseUrl: database.url, pool, store };
  const environment = { RATE_LIMIT_AUTHENTICATED: `${LIMIT}` };
  here = await startApiServer({ ...common, environment });
  there = await startApiServer({
    ...common,
    beside: here,
    environment: { ...environment, INSTANCE_NAME: '1' },
  });
  admin = await here.enrol('admin');
});
afterAll(async () => {
  await there?.stop();
  await here?.stop();
  await store?.close();
  await pool?.end();
  await database?.drop();
});

/** The same caller at the other API. */
const atOther = ({ token }: Pick<Caller, 'token'>): Rest => createRest(there.url, byToken(token));

it('R144: a token of one API is good at the other; a withdrawn role and a revoked key end at both', async () => {
  const caller = await here.enrol('operator', 'submitter');
  const other = atOther(caller);
  expect((await other.get('/v1/system/metrics')).status).toBe(200);
  const changed = await admin.rest.put(`/v1/subjects/${caller.id}/roles`, { roles: ['submitter'] });
  expect(changed.status).toBe(200);
  await expect.poll(async () => (await other.get('/v1/system/metrics')).status, PATIENCE).toBe(403);

  const { body } = await admin.rest.get<{ keys: { key_id: string }[] }>(`/v1/subjects/${caller.id}`);
  const [key] = body.keys;
  expect((await admin.rest.delete(`/v1/subjects/${caller.id}/keys/${key?.key_id}`)).status).toBe(200);
  await expect.poll(async () => (await other.get('/v1/system/info')).status, PATIENCE).toBe(401);
});

it('R168: a key answered by one API is answered by the other, from the same row', async () => {
  const caller = await here.enrol('submitter');
  const body = { tier: 'gold', required_tops: 500, utilization: 0.8, duration_seconds: 60 };
  const first = await caller.rest.post('/v1/fog/pricing/quote', body, 'asked-once');
  expect(first.status).toBe(200);
  const again = await atOther(caller).post('/v1/fog/pricing/quote', body, 'asked-once');
  expect([again.status, again.body]).toEqual([200, first.body]);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
});

it('R2: two APIs together admit what one may', async () => {
  const caller = await here.enrol('submitter');
  const rests = [caller.rest, atOther(caller)];
  const answers = await Promise.all(
    Array.from({ length: 2 * LIMIT }, (_, index) => (rests[index % 2] as Rest).get('/v1/system/info')),
  );
  const counts = Map.groupBy(answers, ({ status }) => status);
  expect(counts.get(200)?.length).toBe(LIMIT);
  expect(counts.get(429)?.length).toBe(LIMIT);
  expect(counts.get(429)?.[0]?.headers.get('retry-after')).toMatch(/^\d+$/);
});

it('a new key of the engine signs at both, and no token of the old one is refused meanwhile', async () => {
  const caller = await here.enrol('submitter');
  const file = join(here.home, 'keys', 'engine.key');
  await writeFile(`${file}.new`, `${randomBytes(32).toString('hex')}\n${await readFile(file, 'utf8')}`);
  await rename(`${file}.new`, file);
  const kidOf = (token: string): string =>
    (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;
  const before = kidOf(caller.token);
  await expect
    .poll(async () => {
      const { token } = await here.signIn(caller.apiKey);
      expect((await atOther({ token }).get('/v1/system/info')).status).toBe(200);
      return kidOf(token);
    }, PATIENCE)
    .not.toBe(before);
  expect((await atOther(caller).get('/v1/system/info')).status).toBe(200);
});

it('health names an API that stopped being there without leaving', async () => {
  const apis = async () =>
    (await here.anybody.get<{ components: { apis: object } }>('/v1/system/health')).body.components.apis;
  await expect.poll(apis, PATIENCE).toMatchObject({ status: 'ok', have: 2, expected: 2 });
  // As a process leaves its row that was killed a minute ago.
  await pool.query(
    `insert into engine.processes values ('api', '2', gen_random_uuid(), now(), now() - interval '1 minute')`,
  );
  expect(await apis()).toMatchObject({ status: 'degraded', have: 2, expected: 3, missing: ['api-2'] });
});
