import { Client, Connection } from '@temporalio/client';
import { loadConfig } from '../config/config.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { createPool } from '../postgres/pool.ts';
import { recoverLifecycles } from '../temporal/recover.ts';
import { TASK_QUEUE } from '../temporal/task-queue.ts';

/** Opens every unfinished lifecycle again from the log, once; prints what came of it. */
const main = async (): Promise<void> => {
  const config = loadConfig(process.env);
  const pool = createPool(config.databaseUrl, { name: 'recover', max: 4 });
  const store = createPostgresEventStore({ pool });
  const connection = await Connection.connect({ address: config.temporalAddress });
  const client = new Client({ connection, namespace: config.temporalNamespace });
  try {
    const { opened, running } = await recoverLifecycles({ client, store, taskQueue: TASK_QUEUE });
    console.log(`${opened} unfinished lifecycles opened again from the log, ${running} were running`);
  } finally {
    await connection.close();
    await store.close();
    await pool.end();
  }
};

await main();
