import type { Hub, Listener } from './realtime/hub.ts';

/** How often a waiter looks by itself, should this process be behind the log. */
const LOOK_MS = 1000;

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Looks at something about `stream` until it is there: at once, after every event of the stream, and once a second.
 * Answers with the last look, which is null when the time ran out or this process is about to stop.
 */
export type Watch = <T>(
  stream: string,
  look: () => Promise<T | null>,
  options: WaitOptions,
) => Promise<T | null>;

export const createWatch =
  (hub: Pick<Hub, 'attach' | 'detach'>, stopping: AbortSignal): Watch =>
  async (stream, look, { timeoutMs, signal }) => {
    const end = AbortSignal.any([signal, stopping, AbortSignal.timeout(timeoutMs)]);
    let news = Promise.withResolvers<void>();
    const listener: Listener = {
      deliver: ({ event }) => {
        if (event.stream === stream) news.resolve();
      },
    };
    const wake = (): void => news.resolve();
    hub.attach(listener);
    end.addEventListener('abort', wake);
    try {
      for (;;) {
        // Renewed before the look: an event that comes during it is not slept through.
        news = Promise.withResolvers();
        const found = await look();
        if (found !== null || end.aborted) return found;
        const timer = setTimeout(wake, LOOK_MS);
        await news.promise;
        clearTimeout(timer);
      }
    } finally {
      end.removeEventListener('abort', wake);
      hub.detach(listener);
    }
  };
