import type { EventStore } from '../domain/ports/event-store.ts';
import type { Log } from './log.ts';
import { pause } from './session.ts';

/** Tells every projection of this process how far the log goes, without reading it. */
export interface Feed {
  /** How far the log is known to go. */
  head(): bigint;
  /** Resolves when the log goes past `position`, or the feed ends. */
  past(position: bigint): Promise<void>;
  /** Follows the log until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

const RETRY_MS = 500;

export const createFeed = (store: Pick<EventStore, 'heads'>, log: Log): Feed => {
  let head = 0n;
  let ended = false;
  let moved = Promise.withResolvers<void>();

  const wake = (): void => {
    moved.resolve();
    moved = Promise.withResolvers();
  };
  const seen = (position: bigint): void => {
    if (position <= head) return;
    head = position;
    wake();
  };

  return {
    head: () => head,
    past: async (position) => {
      while (head <= position && !ended) await moved.promise;
    },
    run: async (signal) => {
      while (!signal.aborted) {
        try {
          for await (const position of store.heads(head, signal)) seen(position);
        } catch (error) {
          if (signal.aborted) break;
          log.warn({ err: error }, 'the log cannot be followed; trying again');
          await pause(RETRY_MS, signal);
        }
      }
      ended = true;
      wake();
    },
  };
};
