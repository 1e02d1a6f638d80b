import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { temporalAddress } from '../../test/support/temporal.ts';
import { allocatePort } from '../stack/ports.ts';
import { prepareHome } from './local-home.ts';

/** Nothing listens on port 1. */
const AWAY = '127.0.0.1:1';

let home: string;
let silent: Server;
const sockets = new Set<Socket>();
let port: number;
let child: ChildProcess | null = null;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aivillage-stop-'));
  await prepareHome(home);
  port = await allocatePort();
  // A server that hangs: it takes connections and says nothing.
  silent = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await once(silent.listen(0, '127.0.0.1'), 'listening');
});
afterEach(async () => {
  if (child && child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  child = null;
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  silent.close();
  await rm(home, { recursive: true, force: true });
});

const hanging = (): string => `127.0.0.1:${(silent.address() as AddressInfo).port}`;

const start = (program: string, servers: { readonly postgres: string; readonly temporal: string }) => {
  const started = spawn(process.execPath, [join(import.meta.dirname, `${program}.ts`)], {
    env: {
      PATH: process.env['PATH'],
      AIVILLAGE_HOME: home,
      DATABASE_URL: `postgres://postgres@${servers.postgres}/postgres`,
      TEMPORAL_ADDRESS: servers.temporal,
      MESH_PORT: `${port}`,
      PORT: `${port}`,
      NETWORK_NAME: 'stop',
      LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = started;
  let output = '';
  for (const stream of [started.stdout, started.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  return {
    output: () => output,
    /** Waits until it waits for its server. */
    async says(line: string): Promise<void> {
      await expect
        .poll(() => started.exitCode !== null || output.includes(line), { timeout: 60_000 })
        .toBe(true);
      expect(output).toContain(line);
    },
    /** Told to stop, it says that it has, and nothing had to end it. */
    async stops(signal: NodeJS.Signals): Promise<void> {
      const closed = once(started, 'close');
      started.kill(signal);
      expect({ code: (await closed)[0], output }).toMatchObject({ code: 0 });
      expect(output).toContain(`${program} stopped`);
      expect(output).not.toContain('ends without');
      expect(output).not.toContain(`${program} ready`);
    },
  };
};

/** Whether somebody dials the server that hangs, and waits. */
const dialled = async (work: () => void): Promise<void> => {
  const connection = once(silent, 'connection');
  work();
  await connection;
};

test('a worker ends when it is told to while Temporal is away', { timeout: 120_000 }, async () => {
  const worker = start('worker', { postgres: AWAY, temporal: AWAY });
  await worker.says('waiting for Temporal');
  await worker.stops('SIGTERM');
});

test('a worker ends when it is told to while PostgreSQL is away', { timeout: 120_000 }, async () => {
  const worker = start('worker', { postgres: AWAY, temporal: await temporalAddress() });
  await worker.says('waiting for PostgreSQL');
  await worker.stops('SIGTERM');
});

test('an API ends when it is told to while PostgreSQL is away', { timeout: 120_000 }, async () => {
  const api = start('api', { postgres: AWAY, temporal: AWAY });
  await api.says('waiting for PostgreSQL');
  await api.stops('SIGINT');
});

test.each(['worker', 'api'])(
  'a %s ends at once while its server hangs',
  { timeout: 120_000 },
  async (name) => {
    let program: ReturnType<typeof start> | undefined;
    await dialled(() => {
      program = start(name, { postgres: hanging(), temporal: hanging() });
    });
    await program?.stops('SIGTERM');
  },
);

test('a projector whose PostgreSQL hangs ends all the same', { timeout: 120_000 }, async () => {
  let projector: ReturnType<typeof start> | undefined;
  await dialled(() => {
    projector = start('projector', { postgres: hanging(), temporal: AWAY });
  });
  await projector?.says('projector started');
  const closed = once(child as ChildProcess, 'close');
  child?.kill('SIGTERM');
  expect((await closed)[0]).toBe(0);
});
