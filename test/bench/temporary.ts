import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '../../infra/stack/postgres.ts';
import { startTemporal, type TemporalServer } from '../../infra/stack/temporal.ts';
import { removeHome } from '../support/home.ts';

/** What a suite starts, in a folder of its own: all of it goes when `started` is disposed of, the last one first. */
export const temporaryServers = async (started: AsyncDisposableStack) => {
  const directory = await mkdtemp(join(tmpdir(), 'aivillage-bench-'));
  started.defer(() => removeHome(directory));
  // As root, PostgreSQL runs as another user.
  await chmod(directory, 0o755);
  return {
    directory,
    /** `durable`: as a stack runs it; otherwise without waiting for the disk. */
    postgres: async (durable: boolean): Promise<PostgresServer> => {
      const server = await startPostgres({
        directory: join(directory, 'postgres'),
        logFile: join(directory, 'postgres.log'),
        password: null,
        durable,
      });
      started.defer(async () => void (await server.stop()));
      return server;
    },
    /** As a stack starts it. */
    temporal: async (): Promise<TemporalServer> => {
      const server = await startTemporal({
        env: process.env,
        report: (line) => process.stderr.write(`${line}\n`),
        file: join(directory, 'temporal.db'),
        logFile: join(directory, 'temporal.log'),
        ui: false,
      });
      started.defer(async () => void (await server.stop()));
      return server;
    },
  };
};

/** Opens a suite on what it starts; nothing stays behind where that fails. */
export const opened = async <T>(
  open: (started: AsyncDisposableStack) => Promise<T>,
): Promise<T & { close(): Promise<void> }> => {
  const started = new AsyncDisposableStack();
  try {
    return { ...(await open(started)), close: () => started.disposeAsync() };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
};
