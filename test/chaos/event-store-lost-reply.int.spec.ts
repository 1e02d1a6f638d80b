import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NO_STREAM } from '../../domain/ports/event-store.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { sampleAppend } from '../contract/events.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
});
afterEach(() => database.drop());

/** A way to the database that can lose the reply to the next append, and with it the connection. */
const unreliableWay = async (url: string) => {
  const target = new URL(url);
  let armed = false;
  let lost = 0;
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    let losing = false;
    client.on('data', (message) => {
      losing ||= armed && message.includes('log-append');
      if (losing) armed = false;
      server.write(message);
    });
    server.on('data', (reply) => {
      if (!losing) return client.write(reply);
      lost += 1;
      server.destroy();
      return client.destroy();
    });
    server.on('close', () => client.destroy());
    client.on('close', () => server.destroy());
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const way = new URL(url);
  way.port = `${(proxy.address() as AddressInfo).port}`;
  return {
    url: way.href,
    loseNextReply: () => {
      armed = true;
    },
    lost: () => lost,
    close: () => proxy.close(),
  };
};

test('an append whose acknowledgement is lost with the connection is written once', async () => {
  const way = await unreliableWay(database.url);
  const store = createPostgresEventStore({ url: way.url });
  await store.append(sampleAppend('sample-1', NO_STREAM));
  way.loseNextReply();
  const results = await Promise.all([
    store.append(sampleAppend('sample-1', 0n, 2)),
    store.appendMany([sampleAppend('sample-2', NO_STREAM), sampleAppend('sample-3', NO_STREAM)]),
  ]);
  expect(way.lost()).toBe(1);
  expect(results).toEqual([
    { ok: true, position: 3n, replayed: true },
    { ok: true, position: 5n, replayed: true },
  ]);
  const events = await store.readAll({ after: 0n, limit: 100 });
  expect(events.map((event) => event.id)).toEqual([
    'sample-1@0',
    'sample-1@1',
    'sample-1@2',
    'sample-2@0',
    'sample-3@0',
  ]);
  await store.close();
  way.close();
});
