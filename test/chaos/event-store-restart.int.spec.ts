import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { chainEntryOf, verifyChain } from '../../infra/event-store/chain.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { type PostgresServer, startPostgres } from '../../infra/stack/postgres.ts';
import { sampleAppend } from '../contract/events.ts';

const WRITERS = 8;

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

/** Appends one by one until `signal` aborts; answers with the number of events. */
const write = async (store: EventStore, stream: string, signal: AbortSignal): Promise<number> => {
  let revision = NO_STREAM;
  while (!signal.aborted) {
    expect(await store.append(sampleAppend(stream, revision))).toMatchObject({ ok: true });
    revision += 1n;
  }
  return Number(revision) + 1;
};

test('appends and subscriptions outlive restarts of the server', { timeout: 240_000 }, async () => {
  const faults: string[] = [];
  const store = createPostgresEventStore({ url: server.url, onFault: (message) => faults.push(message) });
  const stopWriting = new AbortController();
  const stopReading = new AbortController();
  const seen: bigint[] = [];
  const reading = (async () => {
    for await (const batch of store.subscribe(0n, stopReading.signal))
      for (const { position } of batch) seen.push(position);
  })();
  const writing = Array.from({ length: WRITERS }, (_, at) =>
    write(store, `restart-${at}`, stopWriting.signal),
  );

  for (let restart = 0; restart < 3; restart++) {
    const { position } = await store.head();
    await expect.poll(() => seen.length, { timeout: 60_000 }).toBeGreaterThan(Number(position) + 50);
    await server.stop();
    server = await start(server.port);
  }
  const before = seen.length;
  await expect.poll(() => seen.length, { timeout: 60_000 }).toBeGreaterThan(before + 50);
  stopWriting.abort();
  const counts = await Promise.all(writing);
  const { position } = await store.head();
  await expect.poll(() => BigInt(seen.length), { timeout: 60_000 }).toBe(position);
  stopReading.abort();
  await reading;

  expect(faults.length).toBeGreaterThan(0);
  const events = await store.readAll({ after: 0n, limit: 10_000_000 });
  expect(verifyChain(events.map(chainEntryOf)).faults).toEqual([]);
  expect(seen).toEqual(events.map((event) => event.position));
  for (const [at, count] of counts.entries()) {
    const numbers = (await store.readStream(`restart-${at}`)).map((event) => event.data['number']);
    expect(numbers).toEqual(Array.from({ length: count }, (_, number) => number));
  }
  await store.close();
});

test('an append is given up in a bounded time, and works again afterwards', {
  timeout: 240_000,
}, async () => {
  const store = createPostgresEventStore({ url: server.url, retryForMs: 200 });
  await server.stop();
  await expect(store.append(sampleAppend('bounded', NO_STREAM))).rejects.toThrow('did not answer in time');
  server = await start(server.port);
  expect(await store.append(sampleAppend('bounded', NO_STREAM))).toMatchObject({ ok: true, replayed: false });
  await store.close();
});
