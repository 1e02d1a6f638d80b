import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sendSignal } from './process-identity.ts';

/** Signals by which a server can be asked to end in order. */
export type StopSignal = 'SIGTERM' | 'SIGINT';

/** A server program: how to run it, how to know that it serves, how to stop it. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child: nothing is inherited. */
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Run as this user; only root may. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Receives stdout and stderr. Fresh at every launch, so no old ready line is met; the one before is kept as `.1`. */
  readonly logFile: string;
  /** Polled until true. A child that exits first fails the launch at once. */
  readonly isReady: () => Promise<boolean>;
  /** Most milliseconds until ready; a slow machine takes ten times as long as a fast one. */
  readonly readyTimeoutMs?: number;
  /** The signal of an orderly stop, and how long it may take before SIGKILL. */
  readonly stopSignal?: StopSignal;
  readonly stopTimeoutMs?: number;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<ProcessExit>;
  /** Ends the process by its stop signal, then by SIGKILL. Idempotent. */
  stop(): Promise<ProcessExit>;
}

export interface SpawnedProcess extends RunningProcess {
  /** Resolves when the process serves; rejects when it exits first or in time does not. */
  readonly ready: Promise<void>;
}

const POLL_MS = 50;
const READY_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 20_000;

/**
 * Starts a process in a session of its own, so that a Ctrl-C in the terminal reaches its parent alone.
 * @throws when the program cannot be started at all.
 */
export const spawnProcess = async (spec: ProcessSpec): Promise<SpawnedProcess> => {
  mkdirSync(dirname(spec.logFile), { recursive: true });
  if (existsSync(spec.logFile)) renameSync(spec.logFile, `${spec.logFile}.1`);
  const log = openSync(spec.logFile, 'w', 0o600);
  const child = spawn(spec.command, spec.args, {
    env: spec.env,
    stdio: ['ignore', log, log],
    detached: true,
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    ...spec.user,
  });
  closeSync(log);
  const exited = new Promise<ProcessExit>((resolve) =>
    child.once('exit', (code, signal) => {
      // What the child itself had started in its session must not outlive it.
      sendSignal(-(child.pid as number), 'SIGKILL');
      resolve({ code, signal });
    }),
  );
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new Error(`${spec.name} cannot be started: ${error.message}`)));
  });
  let stopped: Promise<ProcessExit> | undefined;
  const stop = () => {
    stopped ??= endProcess(child, exited, spec);
    return stopped;
  };
  const ready = untilReady(spec, exited);
  // The caller may learn of the failure through `exited` alone.
  ready.catch(() => undefined);
  return { pid: child.pid as number, exited, stop, ready };
};

/** Starts a process and waits until it serves; leaves nothing running when it does not. */
export const launchProcess = async (spec: ProcessSpec): Promise<RunningProcess> => {
  const { ready, ...running } = await spawnProcess(spec);
  try {
    await ready;
  } catch (error) {
    await running.stop();
    throw error;
  }
  return running;
};

const untilReady = async (spec: ProcessSpec, exited: Promise<ProcessExit>): Promise<void> => {
  const timeoutMs = spec.readyTimeoutMs ?? READY_TIMEOUT_MS;
  const deadline = performance.now() + timeoutMs;
  let exit: ProcessExit | undefined;
  const gone = exited.then((result) => {
    exit = result;
  });
  while (exit === undefined) {
    if (await spec.isReady()) return;
    if (performance.now() > deadline) {
      throw new Error(
        `${spec.name} was not ready after ${timeoutMs / 1000} s\n${await logTail(spec.logFile)}`,
      );
    }
    await Promise.race([gone, delay(POLL_MS)]);
  }
  throw new Error(`${spec.name} ${describeExit(exit)} before it was ready\n${await logTail(spec.logFile)}`);
};

const endProcess = async (
  child: ReturnType<typeof spawn>,
  exited: Promise<ProcessExit>,
  spec: ProcessSpec,
): Promise<ProcessExit> => {
  if (child.exitCode === null && child.signalCode === null) child.kill(spec.stopSignal ?? 'SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), spec.stopTimeoutMs ?? STOP_TIMEOUT_MS);
  try {
    return await exited;
  } finally {
    clearTimeout(timer);
  }
};

export const describeExit = ({ code, signal }: ProcessExit): string =>
  signal === null ? `exited with code ${code}` : `was killed by ${signal}`;

/** The last `bytes` of a log file; empty when there is none. */
export const logTail = async (file: string, bytes = 2_000): Promise<string> => {
  const handle = await open(file).catch(() => null);
  if (handle === null) return '';
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.min(size, bytes));
    await handle.read(buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8').trim();
  } finally {
    await handle.close();
  }
};

/** True when something accepts a TCP connection on 127.0.0.1:`port`. */
export const canConnect = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const finish = (reachable: boolean) => {
      socket.destroy();
      resolve(reachable);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
    socket.setTimeout(1_000, () => finish(false));
  });
