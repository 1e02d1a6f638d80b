import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

const PAUSE_MS = 1000;
const ATTEMPTS = 180;

/** Rejects when `signal` aborts. What `work` still waits for is left alone. */
const unlessAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
};

/**
 * Repeats `connect` until the server behind it is up.
 * @throws the last failure after three minutes; the reason of `signal` as soon as that aborts.
 */
export const withPatience = async <T>(
  log: Pick<Logger, 'info'>,
  server: string,
  signal: AbortSignal,
  connect: () => Promise<T>,
): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await unlessAborted(connect(), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (attempt === ATTEMPTS) throw error;
      log.info({ attempt, reason: String(error) }, `waiting for ${server}`);
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
};
