import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { startPostgres } from '../../infra/stack/postgres.ts';
import { appendCase } from './cases/append.ts';
import { catchUpCase } from './cases/catch-up.ts';
import { createRawLog } from './cases/raw-log.ts';
import { readCase } from './cases/read.ts';
import { readStreamsCases } from './cases/read-streams.ts';
import type { OpenSuite, Suite } from './harness.ts';

const open = async (): Promise<OpenSuite> => {
  const directory = await mkdtemp(join(tmpdir(), 'aivillage-bench-'));
  // As root, the server runs as another user.
  await chmod(directory, 0o755);
  const server = await startPostgres({
    directory: join(directory, 'postgres'),
    logFile: join(directory, 'postgres.log'),
    password: null,
    durable: true,
  });
  const appends = await openLogs(server.url, 'appends');
  const reads = await openLogs(server.url, 'reads');
  const streams = await openLogs(server.url, 'streams');
  const catchUp = await catchUpCase(reads.url, reads.store, reads.raw);
  return {
    cases: [
      appendCase(appends.store, appends.raw, 1),
      appendCase(appends.store, appends.raw, 10),
      await readCase(reads.store, reads.raw),
      ...(await readStreamsCases(streams.store)),
      catchUp,
    ],
    close: async () => {
      for (const opened of [catchUp, appends, reads, streams]) await opened.close();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

/** The store and the plain table in one new database. */
const openLogs = async (serverUrl: string, database: string) => {
  await query(serverUrl, `create database ${database}`);
  const url = serverUrl.replace(/[^/]*$/, database);
  await migrate(url);
  const store = createPostgresEventStore({ url });
  const raw = await createRawLog(url);
  return {
    url,
    store,
    raw,
    close: async () => {
      await store.close();
      await raw.close();
    },
  };
};

const query = async (url: string, text: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(text);
  await client.end();
};

/** The event store beside plain SQL on the same durable server. */
export const suite: Suite = { name: 'store', open };
