import type { EventStore } from '../domain/ports/event-store.ts';
import type { Log } from './log.ts';
import { pause } from './session.ts';

/** Tells every projection of this process how far the log goes, from one subscription. */
export interface Feed {
  /** Position of the newest event seen. */
  head(): bigint;
  /** Resolves when the log goes past `position`, or the feed ends. */
  past(position: bigint): Promise<void>;
  /** Follows the log until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

const RETRY_MS = 500;

export const createFeed = (store: Pick<EventStore, 'head' | 'subscribe'>, log: Log): Feed => {
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
          seen((await store.head()).position);
          for await (const batch of store.subscribe(head, signal)) seen(batch.at(-1)?.position ?? head);
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
