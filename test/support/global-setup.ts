import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { allocatePort } from '../../infra/stack/ports.ts';
import { startPostgres } from '../../infra/stack/postgres.ts';
import { startTemporal, type TemporalServer } from '../../infra/stack/temporal.ts';

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
    const temporal = await offerTemporal(join(directory, 'temporal.log'));
    stops.push(temporal.stop);
    project.provide('postgresUrl', postgres.url);
    project.provide('temporalPort', temporal.port);
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}

/** A loopback listener: the first connection starts Temporal, every connection receives its address as one line. */
const offerTemporal = async (logFile: string): Promise<{ port: number; stop: () => Promise<void> }> => {
  let server: Promise<TemporalServer> | undefined;
  const start = () => {
    server ??= startTemporal({ env: process.env, report: console.log, file: null, logFile, ui: false });
    return server;
  };
  const answer = (socket: Socket) =>
    start().then(
      ({ address }) => socket.end(JSON.stringify({ address })),
      (error: Error) => socket.end(JSON.stringify({ error: error.message })),
    );
  const port = await allocatePort();
  const listener: Server = createServer((socket) => void answer(socket));
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  return {
    port,
    stop: async () => {
      await new Promise((resolve) => listener.close(resolve));
      // A failed start was reported to the test that asked.
      await server?.then(
        (running) => running.stop(),
        () => undefined,
      );
    },
  };
};
