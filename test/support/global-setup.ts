import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../infra/stack/postgres.ts';
import { startTemporal } from '../../infra/stack/temporal.ts';
import { offer } from './on-demand.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of the run's PostgreSQL server. */
    postgresUrl: string;
    /** Loopback port that starts the run's Temporal server when first asked and answers with its address. */
    temporalPort: number;
  }
}

/** Starts one PostgreSQL for all integration tests of a run, and one Temporal as soon as a test wants it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'aivillage-test-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const teardown = async () => {
    for (const stop of stops.reverse()) await stop();
  };
  try {
    // As root, the server runs as another user.
    await chmod(directory, 0o755);
    const postgres = await startPostgres({
      directory: join(directory, 'postgres'),
      logFile: join(directory, 'postgres.log'),
      password: null,
      durable: false,
    });
    stops.push(postgres.stop);
    const logFile = join(directory, 'temporal.log');
    const temporal = await offer(async () => {
      const server = await startTemporal({
        env: process.env,
        report: console.log,
        file: null,
        logFile,
        ui: false,
      });
      return { facts: server.address, stop: server.stop };
    });
    stops.push(temporal.stop);
    project.provide('postgresUrl', postgres.url);
    project.provide('temporalPort', temporal.port);
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}
