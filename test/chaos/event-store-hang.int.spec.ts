import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { isUnavailable } from '../../api/unavailable.ts';
import { type AppendResult, type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { chainEntryOf, verifyChain } from '../../infra/event-store/chain.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { type PostgresServer, startPostgres } from '../../infra/stack/postgres.ts';
import { sampleAppend } from '../contract/events.ts';
import { stall } from '../support/stall.ts';

/** A server that hangs takes connections and answers nothing: no refusal, no reset, no end. */

const APPENDS = 5_000;
const RETRY_FOR_MS = 2_000;
/** Far above what is promised (2 s and a second), for a machine that is busy; far below what a hung server takes. */
const BOUND_MS = 20_000;

let directory: string;
let server: PostgresServer;
let goOn: () => void = () => undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'aivillage-hang-'));
  // As root, the server runs as another user.
  await chmod(directory, 0o755);
  server = await startPostgres({
    directory: join(directory, 'postgres'),
    logFile: join(directory, 'postgres.log'),
    password: null,
    durable: true,
  });
  await migrate(server.url);
});
afterEach(() => goOn());
afterAll(async () => {
  goOn();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

/** How long `work` takes, whether it succeeds or not. */
const timed = async <T>(work: Promise<T>): Promise<{ ms: number; outcome: PromiseSettledResult<T> }> => {
  const begun = performance.now();
  const [outcome] = await Promise.allSettled([work]);
  return { ms: performance.now() - begun, outcome };
};

const appendAll = (store: EventStore, names: readonly string[]) =>
  names.map((name) => timed(store.append(sampleAppend(name, NO_STREAM))));

const position = (result: AppendResult): bigint | null => (result.ok ? result.position : null);

test('5,000 appends to a server that hangs are all answered in time, and none is lost or doubled', {
  timeout: 120_000,
}, async () => {
  const store = createPostgresEventStore({ url: server.url, retryForMs: RETRY_FOR_MS });
  const names = Array.from({ length: APPENDS }, (_, index) => `hang-${index}`);
  const answers = appendAll(store, names);
  // One batch is through, one is under way, the rest waits.
  await answers[0];
  goOn = stall(server.pid);

  const settled = await Promise.all(answers);
  expect(Math.max(...settled.map(({ ms }) => ms))).toBeLessThan(BOUND_MS);
  const refused = settled.flatMap(({ outcome }) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.every(isUnavailable)).toBe(true);

  goOn();
  // Who was told that the outcome is unknown asks again, and gets the one outcome there is.
  const unknown = names.filter((_, index) => settled[index]?.outcome.status === 'rejected');
  const again = await Promise.all(appendAll(store, unknown));
  const results = new Map<string, bigint | null>();
  const note = (name: string, outcome: PromiseSettledResult<AppendResult> | undefined): void => {
    if (outcome?.status === 'fulfilled') results.set(name, position(outcome.value));
  };
  for (const [index, name] of names.entries()) note(name, settled[index]?.outcome);
  for (const [index, name] of unknown.entries()) note(name, again[index]?.outcome);

  const events = await store.readAll({ after: 0n, limit: 10_000_000 });
  expect(verifyChain(events.map(chainEntryOf)).faults).toEqual([]);
  const logged = events.filter(({ stream }) => stream.startsWith('hang-'));
  expect(logged).toHaveLength(APPENDS);
  expect(new Map(logged.map((event) => [event.stream, event.position]))).toEqual(results);
  await store.close();
});

test('a first connection to a server that hangs is given up in time', { timeout: 60_000 }, async () => {
  const store = createPostgresEventStore({ url: server.url, retryForMs: RETRY_FOR_MS });
  goOn = stall(server.pid);
  const { ms, outcome } = await timed(store.append(sampleAppend('first', NO_STREAM)));
  expect(ms).toBeLessThan(BOUND_MS);
  expect(outcome).toMatchObject({ status: 'rejected' });
  // Ending does not wait for its goodbye either.
  expect((await timed(store.close())).ms).toBeLessThan(BOUND_MS);
});

test('reads and other statements end as unavailable, and work again afterwards', {
  timeout: 120_000,
}, async () => {
  const pool = createPool(server.url, { name: 'test', max: 4 });
  const store = createPostgresEventStore({ pool });
  await store.append(sampleAppend('read', NO_STREAM));
  goOn = stall(server.pid);
  const reads = await Promise.all(
    Array.from({ length: 12 }, () => timed<unknown>(store.readStream('read'))).concat(
      timed<unknown>(store.head()),
      timed<unknown>(pool.query('select 1')),
    ),
  );
  for (const { ms, outcome } of reads) {
    expect(ms).toBeLessThan(2 * BOUND_MS);
    expect(outcome.status).toBe('rejected');
    expect(isUnavailable((outcome as PromiseRejectedResult).reason)).toBe(true);
  }
  goOn();
  expect(await store.readStream('read')).toHaveLength(1);
  await store.close();
  await pool.end();
});

test('a subscription goes on behind the hang without a gap', { timeout: 120_000 }, async () => {
  const store = createPostgresEventStore({ url: server.url, retryForMs: 60_000 });
  const { position: from } = await store.head();
  const stop = new AbortController();
  const seen: bigint[] = [];
  const reading = (async () => {
    for await (const events of store.subscribe(from, stop.signal))
      for (const event of events) seen.push(event.position);
  })();
  await store.append(sampleAppend('before', NO_STREAM));
  await expect.poll(() => seen, { timeout: 30_000 }).toEqual([from + 1n]);
  goOn = stall(server.pid);
  const late = store.append(sampleAppend('behind', NO_STREAM));
  await timed(store.head());
  goOn();
  expect(await late).toMatchObject({ ok: true });
  await expect.poll(() => seen, { timeout: 30_000 }).toEqual([from + 1n, from + 2n]);
  stop.abort();
  await reading;
  await store.close();
});
