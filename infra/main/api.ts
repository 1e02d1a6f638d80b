import { once } from 'node:events';
import { pino } from 'pino';
import { loadConfig } from '../config/config.ts';
import { TASK_QUEUE } from '../temporal/task-queue.ts';
import { startApi } from './api/start-api.ts';
import { stopSignal } from './stop-signal.ts';

const config = loadConfig(process.env);
// A line for every request: the event loop does not wait for the disk, and what was logged is written before an exit.
const log = pino({ level: config.logLevel, name: 'api' }, pino.destination({ dest: 1, sync: false }));
const stop = stopSignal(log);

const api = await startApi(config, log, TASK_QUEUE, stop).catch((error: unknown) => {
  if (!stop.aborted) throw error;
  log.info('api stopped');
  process.exit();
});
log.info({ port: api.port }, 'api ready');
if (!stop.aborted) await once(stop, 'abort');
await api.stop();
log.info('api stopped');
