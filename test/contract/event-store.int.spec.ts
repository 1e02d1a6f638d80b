import { afterAll, beforeAll } from 'vitest';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { createMemoryLog } from '../../infra/event-store/memory/log.ts';
import { createMemoryEventStore } from '../../infra/event-store/memory/store.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { emptyLog } from './empty-log.ts';
import { eventStoreContract } from './event-store.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
});
afterAll(() => database.drop());

eventStoreContract('PostgreSQL', async () => {
  await emptyLog(database.url);
  const stores: EventStore[] = [];
  // Polling is set so slow that a lost wake-up shows.
  const peer = (options = {}) => {
    const store = createPostgresEventStore({ url: database.url, pollMs: 60_000, ...options });
    stores.push(store);
    return store;
  };
  return {
    store: peer(),
    peer,
    dispose: async () => {
      for (const store of stores) await store.close();
    },
  };
});

eventStoreContract('memory', async () => {
  const log = createMemoryLog();
  const stores: EventStore[] = [];
  const peer = (options = {}) => {
    const store = createMemoryEventStore({ log, ...options });
    stores.push(store);
    return store;
  };
  return {
    store: peer(),
    peer,
    dispose: async () => {
      for (const store of stores) await store.close();
    },
  };
});
