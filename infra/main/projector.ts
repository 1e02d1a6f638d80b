import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { READ_MODELS } from '../../projections/read-models.ts';
import { createRunner } from '../../projections/runner.ts';
import { loadConfig } from '../config/config.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { readKeyFile } from '../keys/key-file.ts';
import { createPool } from '../postgres/pool.ts';
import { reportPresence } from '../processes/presence.ts';
import { followLog } from '../tlog/follow.ts';
import { createCheckpointSigner } from '../tlog/signer.ts';
import { keepAnchoring } from './projector/anchoring.ts';
import { keepSuccession, sessionName } from './projector/succession.ts';
import { stopSignal } from './stop-signal.ts';

/** One connection per projection, one for a rebuild each, the rest for the transparency log, its anchors and for reading. */
const POOL_SIZE = 2 * READ_MODELS.length + 10;
/** A page of a rebuild, or the swap behind it. */
const STATEMENT_MS = 60_000;

const config = loadConfig(process.env);
const log = pino({ level: config.logLevel, name: 'projector' });
const stop = stopSignal(log);

const pool = createPool(config.databaseUrl, {
  name: sessionName(config.instance),
  max: POOL_SIZE,
  statementMs: STATEMENT_MS,
  onIdleError: (error) => log.warn({ err: error }, 'an idle connection was lost'),
});
const store = createPostgresEventStore({
  pool,
  onFault: (fault, error) => log.warn({ err: error }, fault),
});

/** Grows and signs the transparency log: the only process that holds its key. */
const keepTransparencyLog = async (signal: AbortSignal): Promise<void> => {
  const keyFile = join(config.home, 'keys', 'checkpoint.key');
  if (!existsSync(keyFile)) {
    log.error({ keyFile }, 'without its key the transparency log does not grow');
    return;
  }
  const signer = createCheckpointSigner(await readKeyFile(keyFile));
  await followLog({ pool, signer, store, log }, signal);
};

const presence = reportPresence({
  databaseUrl: config.databaseUrl,
  kind: 'projector',
  instance: config.instance,
  onFault: (fault, error) => log.warn({ err: error }, fault),
});
log.info({ projections: READ_MODELS.map(({ name }) => name) }, 'projector started');
await Promise.all([
  createRunner({ pool, store, log }).run(READ_MODELS, stop),
  keepTransparencyLog(stop),
  keepSuccession({ pool, instance: config.instance, log }, stop),
  keepAnchoring({ pool, store, settings: config.anchoring, home: config.home, log }, stop),
]);
await presence.leave();
await store.close();
await pool.end();
log.info('projector stopped');
