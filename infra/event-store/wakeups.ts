/** How far the log is known to go, and who waits for more. Losing a wake-up costs time, never an event. */
export interface Wakeups {
  /** The log goes at least to `position`. */
  advance(position: bigint): void;
  /** How far the log is known to go; 0 before anything was heard. */
  newest(): bigint;
  /** Resolves once the log is known to go past `position`, after `timeoutMs`, or when `signal` aborts. */
  past(position: bigint, timeoutMs: number, signal: AbortSignal): Promise<void>;
}

export const createWakeups = (): Wakeups => {
  let known = 0n;
  const waiting = new Map<() => void, bigint>();

  return {
    advance: (position) => {
      if (position <= known) return;
      known = position;
      for (const [wake, after] of [...waiting]) if (known > after) wake();
    },
    newest: () => known,
    past: (position, timeoutMs, signal) => {
      if (known > position || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, timeoutMs);
        signal.addEventListener('abort', wake);
        waiting.set(wake, position);
      });
    },
  };
};
