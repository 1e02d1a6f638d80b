import { Client, Connection } from '@temporalio/client';
import { loadConfig } from '../config/config.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { keepObservationSchedule } from '../observation/schedule.ts';
import { createPool } from '../postgres/pool.ts';
import { recoverLifecycles } from '../temporal/recover.ts';
import { clientConverter, readCommandKeys } from '../temporal/sealed-payloads.ts';
import { TASK_QUEUE } from '../temporal/task-queue.ts';
import { keepTopologySchedule } from '../topology/schedule.ts';

/** Opens every unfinished lifecycle again from the log, and the schedules; prints what came of it. */
const main = async (): Promise<void> => {
  const config = loadConfig(process.env);
  const pool = createPool(config.databaseUrl, { name: 'recover', max: 4 });
  const store = createPostgresEventStore({ pool });
  const connection = await Connection.connect({ address: config.temporalAddress });
  const client = new Client({
    connection,
    namespace: config.temporalNamespace,
    dataConverter: clientConverter(await readCommandKeys(config.home)),
  });
  try {
    const { opened, running, told } = await recoverLifecycles({ client, store, taskQueue: TASK_QUEUE });
    // Workers keep the schedules when they start; one that runs already has no reason to look.
    await keepTopologySchedule(client, TASK_QUEUE, config.topology);
    await keepObservationSchedule(client, TASK_QUEUE, config.observation);
    console.log(
      `${opened} unfinished lifecycles opened again from the log, ${running} were running; ${told} that have ended told their jobs`,
    );
  } finally {
    await connection.close();
    await store.close();
    await pool.end();
  }
};

await main();
