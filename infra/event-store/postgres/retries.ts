import { setTimeout as sleep } from 'node:timers/promises';
import { isTransient } from '../../postgres/transient.ts';
import type { OnFault } from './notifications.ts';

const BACKOFF_MS = { first: 50, most: 2_000 };

/**
 * Repeats a read while the server is away, for as long as `signal` lasts.
 * @throws the read's error when it is not transient, or the last one when `signal` aborts.
 */
export const withRetries = async <T>(
  read: () => Promise<T>,
  signal: AbortSignal,
  onFault: OnFault,
): Promise<T> => {
  for (let backoff = BACKOFF_MS.first; ; backoff = Math.min(backoff * 2, BACKOFF_MS.most)) {
    try {
      return await read();
    } catch (error) {
      if (!isTransient(error) || signal.aborted) throw error;
      onFault(`reading the log failed, trying again in ${backoff} ms`, error);
      await sleep(backoff, undefined, { signal }).catch(() => undefined);
    }
  }
};
