import { pino } from 'pino';
import { loadConfig } from '../config/config.ts';
import { startApi } from './api/start-api.ts';

const config = loadConfig(process.env);
const log = pino({ level: config.logLevel, name: 'api' });
const stop = Promise.withResolvers<void>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.resolve());

const api = await startApi(config, log);
log.info({ port: api.port }, 'api ready');
await stop.promise;
await api.stop();
log.info('api stopped');
