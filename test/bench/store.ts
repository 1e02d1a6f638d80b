import pg from 'pg';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { appendCase } from './cases/append.ts';
import { catchUpCase } from './cases/catch-up.ts';
import { createRawLog } from './cases/raw-log.ts';
import { readCase } from './cases/read.ts';
import { readStreamsCases } from './cases/read-streams.ts';
import type { OpenSuite, Suite } from './harness.ts';
import { opened, temporaryServers } from './temporary.ts';

const open = (): Promise<OpenSuite> =>
  opened(async (started) => {
    const server = await (await temporaryServers(started)).postgres(true);
    const logs = async (name: string) => {
      const both = await openLogs(server.url, name);
      started.defer(both.close);
      return both;
    };
    const [appends, reads, streams] = [await logs('appends'), await logs('reads'), await logs('streams')];
    const catchUp = await catchUpCase(reads.url, reads.store, reads.raw);
    started.defer(() => catchUp.close());
    return {
      cases: [
        appendCase(appends.store, appends.raw, 1),
        appendCase(appends.store, appends.raw, 10),
        await readCase(reads.store, reads.raw),
        ...(await readStreamsCases(streams.store)),
        catchUp,
      ],
    };
  });

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
