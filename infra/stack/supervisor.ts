import { setTimeout as delay } from 'node:timers/promises';
import {
  describeExit,
  type ProcessExit,
  type ProcessSpec,
  type SpawnedProcess,
  spawnProcess,
} from './process.ts';
import type { ProcessRegistry } from './process-registry.ts';

export interface SupervisorOptions {
  readonly registry: ProcessRegistry;
  /** Receives one line for each thing a user should know. */
  readonly report: (line: string) => void;
  readonly backOff?: BackOff;
}

/** Waiting time before a restart: doubles from `minMs` to `maxMs`, and starts over after `resetMs` of good service. */
export interface BackOff {
  readonly minMs: number;
  readonly maxMs: number;
  readonly resetMs: number;
}

export interface Supervisor {
  /**
   * Starts a child, waits until it serves, and restarts it whenever it ends.
   * @throws when the first start fails; nothing of it is left running.
   */
  start(spec: ProcessSpec): Promise<void>;
  /** Ids of the running children by name. */
  pids(): ReadonlyMap<string, number>;
  /** Stops the children, last started first, each before the next. Idempotent. */
  stop(): Promise<void>;
}

const BACK_OFF: BackOff = { minMs: 500, maxMs: 30_000, resetMs: 60_000 };

interface Child {
  readonly spec: ProcessSpec;
  running: SpawnedProcess | null;
  /** Ends when the child will not be restarted any more. */
  supervision: Promise<void>;
}

export const createSupervisor = ({ registry, report, backOff = BACK_OFF }: SupervisorOptions): Supervisor => {
  const children: Child[] = [];
  const stopping = new AbortController();
  let stopped: Promise<void> | undefined;

  const launch = async (child: Child): Promise<SpawnedProcess> => {
    const running = await spawnProcess(child.spec);
    registry.add(child.spec.name, running.pid, child.spec.stopSignal ?? 'SIGTERM');
    child.running = running;
    // The stop may have passed this child while it was being spawned.
    if (stopping.signal.aborted) await running.stop();
    return running;
  };

  /** Resolves when the child has ended. */
  const ended = async (child: Child, running: SpawnedProcess): Promise<ProcessExit> => {
    const exit = await running.exited;
    registry.remove(running.pid);
    child.running = null;
    return exit;
  };

  const relaunch = async (child: Child): Promise<string> => {
    const { name } = child.spec;
    try {
      const running = await launch(child);
      running.ready.then(
        () => report(`${name} is up again`),
        // Alive without serving: end it, so that it is tried once more.
        () => running.stop(),
      );
      return describeExit(await ended(child, running));
    } catch (error) {
      return (error as Error).message;
    }
  };

  const supervise = async (child: Child, first: SpawnedProcess): Promise<void> => {
    const { name, logFile } = child.spec;
    let since = performance.now();
    let failures = 0;
    let reason = describeExit(await ended(child, first));
    while (!stopping.signal.aborted) {
      failures = performance.now() - since > backOff.resetMs ? 1 : failures + 1;
      const waitMs = Math.min(backOff.minMs * 2 ** (failures - 1), backOff.maxMs);
      report(`${name} ${reason}: restarting in ${waitMs / 1000} s (its log will be ${logFile}.1)`);
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      since = performance.now();
      reason = await relaunch(child);
    }
  };

  const start = async (spec: ProcessSpec): Promise<void> => {
    if (stopping.signal.aborted) throw new Error(`${spec.name} is not started: everything is being stopped`);
    const child: Child = { spec, running: null, supervision: Promise.resolve() };
    children.push(child);
    const running = await launch(child);
    try {
      await running.ready;
    } catch (error) {
      await running.stop();
      await ended(child, running);
      throw error;
    }
    child.supervision = supervise(child, running);
  };

  const stop = async (): Promise<void> => {
    stopping.abort();
    for (const child of children.toReversed()) {
      await child.running?.stop();
      await child.supervision;
    }
  };

  return {
    start,
    pids: () =>
      new Map(children.flatMap(({ spec, running }) => (running === null ? [] : [[spec.name, running.pid]]))),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
};
