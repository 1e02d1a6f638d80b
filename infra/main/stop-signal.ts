import type { Logger } from 'pino';

/** Less than a supervisor waits before it kills. */
const GRACE_MS = 10_000;

/**
 * The signal by which a process is told to stop (SIGINT, SIGTERM). What it waits for may hang: a process that has not
 * ended a while later is ended, which loses nothing, since every one of them may be killed at any moment.
 */
export const stopSignal = (log: Pick<Logger, 'warn'>): AbortSignal => {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => {
      stop.abort(new Error(`stopped by ${name}`));
      setTimeout(() => {
        log.warn('what this process waits for does not end: it ends without');
        process.exit();
      }, GRACE_MS).unref();
    });
  return stop.signal;
};
