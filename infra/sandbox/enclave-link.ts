import type { ChildProcess } from 'node:child_process';
import type { EnclaveMessage, HostMessage } from './protocol.ts';

export interface EnclaveLink {
  /** Sends a message and waits for the one answer; null when the process ends or `limitMs` pass first. */
  ask(message: HostMessage, limitMs: number): Promise<EnclaveMessage | null>;
  readonly alive: () => boolean;
  /** Kills the process with all it started, at once. */
  readonly kill: () => void;
  /** Ends the process and all it started, in order, or by a kill when that takes too long. Resolves when it is gone. */
  readonly close: () => Promise<void>;
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>;
}

const CLOSE_LIMIT_MS = 2000;

/** Talks to an enclave process; one question at a time. */
export const enclaveLink = (child: ChildProcess): EnclaveLink => {
  let alive = true;
  let answer: ((message: EnclaveMessage | null) => void) | null = null;
  const settle = (message: EnclaveMessage | null): void => {
    answer?.(message);
    answer = null;
  };
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      alive = false;
      settle(null);
      resolve();
    };
    child.once('exit', end);
    // A program that could not be started never exits.
    child.once('error', end);
  });
  const kill = (): void => {
    if (alive && child.pid !== undefined) killGroup(child.pid);
  };
  child.on('message', (message) => settle(message as EnclaveMessage));
  return {
    ask: (message, limitMs) =>
      new Promise((resolve) => {
        if (!alive) return resolve(null);
        const timer = setTimeout(() => settle(null), limitMs);
        answer = (given) => {
          clearTimeout(timer);
          resolve(given);
        };
        // A process that is gone by now answers through `exit`.
        child.send(message, () => undefined);
      }),
    alive: () => alive,
    kill,
    close: async () => {
      // With no question open nothing was started that it would have to end first: a kill spares it the work of an exit.
      if (answer === null) kill();
      else if (child.connected) child.disconnect();
      const timer = setTimeout(kill, CLOSE_LIMIT_MS);
      await ended;
      clearTimeout(timer);
    },
    ended,
  };
};

const killGroup = (leader: number): void => {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    // Gone already: nothing left to kill.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};
