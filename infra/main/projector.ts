import { pino } from 'pino';
import { READ_MODELS } from '../../projections/read-models.ts';
import { createRunner } from '../../projections/runner.ts';
import { loadConfig } from '../config/config.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { createPool } from '../postgres/pool.ts';

/** One connection per projection, one for a rebuild each, the rest for reading the log. */
const POOL_SIZE = 2 * READ_MODELS.length + 6;

const config = loadConfig(process.env);
const log = pino({ level: config.logLevel, name: 'projector' });
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const pool = createPool(config.databaseUrl, {
  name: 'projector',
  max: POOL_SIZE,
  onIdleError: (error) => log.warn({ err: error }, 'an idle connection was lost'),
});
const store = createPostgresEventStore({
  pool,
  onFault: (fault, error) => log.warn({ err: error }, fault),
});

log.info({ projections: READ_MODELS.map(({ name }) => name) }, 'projector started');
await createRunner({ pool, store, log }).run(READ_MODELS, stop.signal);
await store.close();
await pool.end();
log.info('projector stopped');
