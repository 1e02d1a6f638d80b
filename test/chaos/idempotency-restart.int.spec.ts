import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { answerOnce } from '../../api/idempotency.ts';
import { createIdempotencyKeys, type IdempotencyKeys } from '../../infra/idempotency/keys.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { type PostgresServer, startPostgres } from '../../infra/stack/postgres.ts';

const masterKey = new Uint8Array(32).fill(7);
const PATIENCE = { timeout: 60_000 };

let directory: string;
let server: PostgresServer;

/** The server of this file alone: the run's server serves other tests. */
const start = (port?: number): Promise<PostgresServer> =>
  startPostgres({
    directory: join(directory, 'postgres'),
    logFile: join(directory, 'postgres.log'),
    password: null,
    durable: true,
    ...(port !== undefined && { port }),
  });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'aivillage-chaos-'));
  // As root, the server runs as another user.
  await chmod(directory, 0o755);
  server = await start();
  await migrate(server.url);
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

/** The keys of two API processes, each with a pool of its own. */
let processes: { readonly keys: IdempotencyKeys; readonly pool: Pool }[] = [];
beforeEach(async () => {
  processes = await Promise.all(
    [1, 2].map(async () => {
      const pool = createPool(server.url, { name: 'test', max: 4 });
      return { pool, keys: await createIdempotencyKeys({ pool, masterKey, onError: () => undefined }) };
    }),
  );
});
afterEach(async () => {
  for (const { keys, pool } of processes.splice(0)) {
    await keys.close();
    await pool.end();
  }
});

const ANSWER = { status: 201, mediaType: 'application/json', body: '{"job_id":"job-1"}' };
const restart = async (): Promise<void> => {
  server = await start(server.port);
};
const request = (key: string) => ({
  principal: 'subject-1',
  key,
  target: 'POST /v1/things',
  body: Buffer.from('{}'),
});

test('R168: PostgreSQL goes away between answer and row: caller, and every retry in any process, get that answer', async () => {
  const [here, there] = processes.map(({ keys }) => keys) as [IdempotencyKeys, IdempotencyKeys];
  const first = await answerOnce(here, request('answered'), async () => {
    await server.stop();
    return ANSWER;
  });
  expect(first).toEqual({ type: 'answer', answer: ANSWER, replayed: false });

  await restart();
  const again = async () => {
    throw new Error('ran twice');
  };
  await expect
    .poll(() => answerOnce(here, request('answered'), again), PATIENCE)
    .toEqual({ type: 'answer', answer: ANSWER, replayed: true });
  await expect
    .poll(() => answerOnce(there, request('answered'), again), PATIENCE)
    .toEqual({ type: 'answer', answer: ANSWER, replayed: true });
});

test.each([
  ['here', 0],
  ['in another process', 1],
])('R168: PostgreSQL goes away during a request: a retry %s runs it', async (name, index) => {
  const key = `failed-${index}`;
  const failed = answerOnce(processes[0]?.keys as IdempotencyKeys, request(key), async () => {
    await server.stop();
    throw new Error(`lost ${name}`);
  });
  await expect(failed).rejects.toThrow(`lost ${name}`);

  await restart();
  const retry = () => answerOnce(processes[index]?.keys as IdempotencyKeys, request(key), async () => ANSWER);
  await expect.poll(retry, PATIENCE).toMatchObject({ type: 'answer', answer: ANSWER });
});
