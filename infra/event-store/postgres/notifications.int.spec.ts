import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NO_STREAM } from '../../../domain/ports/event-store.ts';
import { sampleAppend } from '../../../test/contract/events.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { migrate } from '../../postgres/migrate.ts';
import { createPool } from '../../postgres/pool.ts';
import { listen } from './notifications.ts';
import { createPostgresEventStore } from './store.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
});
afterEach(() => database.drop());

/** A way to the database whose far end can vanish without a word, as a machine does that loses its power. */
const brittleWay = async (url: string) => {
  const target = new URL(url);
  const open = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    client.pipe(server);
    server.pipe(client);
    for (const socket of [client, server]) {
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => open.delete(socket));
    }
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const way = new URL(url);
  way.port = `${(proxy.address() as AddressInfo).port}`;
  return {
    url: way.href,
    /** What is connected now hears no more, and is not told. */
    vanish: () => {
      for (const socket of open) socket.unpipe().pause();
    },
    close: () => {
      for (const socket of open) socket.destroy();
      proxy.close();
    },
  };
};

test('a listener whose server vanished without a word notices, and listens anew', async () => {
  const way = await brittleWay(database.url);
  const pool = createPool(way.url, { name: 'listener', max: 1 });
  const store = createPostgresEventStore({ url: database.url });
  const stop = new AbortController();
  const heard: bigint[] = [];
  const faults: unknown[] = [];
  const listening = listen(
    pool,
    (position) => heard.push(position),
    (_, error) => faults.push(error),
    stop.signal,
    { pingMs: 500 },
  );
  /** Appends until the listener has heard of one of them: it may not listen yet. */
  const heardOf = async (name: string): Promise<void> => {
    const before = heard.length;
    await expect
      .poll(
        async () => {
          await store.append(sampleAppend(`${name}-${crypto.randomUUID()}`, NO_STREAM));
          return heard.length;
        },
        { timeout: 30_000 },
      )
      .toBeGreaterThan(before);
  };
  await heardOf('before');
  way.vanish();
  await expect.poll(() => faults.length, { timeout: 30_000 }).toBeGreaterThan(0);
  await heardOf('after');
  stop.abort();
  await listening;
  await store.close();
  await pool.end();
  way.close();
});
