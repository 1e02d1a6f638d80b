import { writeSync } from 'node:fs';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { request } from './requests.ts';

/**
 * A process of many writers, each sending its requests one after the other and saying `<writer> <index> <position>` on
 * standard output when one is acknowledged. Arguments: connection string, requests per writer at the end, and the index
 * each writer starts from.
 */
const [url = '', until = '0', ...starts] = process.argv.slice(2);
const store = createPostgresEventStore({ url });

const write = async (writer: number, start: number): Promise<void> => {
  for (let index = start; index < Number(until); index++) {
    const result = await store.appendMany(request(writer, index));
    if (!result.ok) throw new Error(`writer ${writer} met a conflict on ${result.stream}`);
    // Synchronous: what was said before a kill -9 has been said.
    writeSync(1, `${writer} ${index} ${result.position}\n`);
  }
};

await Promise.all(starts.map((start, writer) => write(writer, Number(start))));
await store.close();
