import { join } from 'node:path';
import { runner } from 'node-pg-migrate';

const CONNECT_MS = 10_000;
/** A migration may rewrite a table, and waits for the run of another process. */
const STATEMENT_MS = 600_000;

/** Lines the runner logged, for the error of a failed run: its own `console` output would reach users. */
const collector = () => {
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  return { lines, logger: { info: () => undefined, warn: keep, error: keep } };
};

/**
 * Brings the database at `url` to the newest schema: every file of `migrations/` that has not run yet, in one
 * transaction, in the order of the file names. Safe to call from several processes at once and when there is nothing to do.
 * @returns the names of the migrations that ran.
 * @throws Error naming the statement when a migration fails; nothing of the run remains.
 */
export const migrate = async (url: string): Promise<string[]> => {
  const { lines, logger } = collector();
  try {
    const applied = await runner({
      databaseUrl: {
        connectionString: url,
        connectionTimeoutMillis: CONNECT_MS,
        query_timeout: STATEMENT_MS,
        keepAlive: true,
      },
      dir: join(import.meta.dirname, 'migrations'),
      direction: 'up',
      migrationsTable: 'migrations',
      migrationsSchema: 'public',
      advisoryLockMode: 'wait',
      singleTransaction: true,
      logger,
    });
    return applied.map((migration) => migration.name);
  } catch (error) {
    throw new Error(['migration failed', ...lines].join('\n'), { cause: error });
  }
};
