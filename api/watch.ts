import type { Hub, Listener } from './realtime/hub.ts';

/** How often a waiter looks by itself, should this process be behind the log. */
const LOOK_MS = 5_000;

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Resolves when a look shows the event at a position, or will not soon; null, as unless given, for at once. Never rejects. */
  readonly shown?: (position: bigint) => Promise<unknown> | null;
}

/**
 * Looks at something about `stream` until it is there: at once, as soon as a look shows what was told before or an event of
 * the stream that came meanwhile, and now and then. Answers with the last look, which is null when the time ran out or this
 * process is about to stop.
 */
export type Watch = <T>(
  stream: string,
  look: () => Promise<T | null>,
  options: WaitOptions,
) => Promise<T | null>;

export const createWatch =
  (
    hub: Pick<Hub, 'attach' | 'detach' | 'position'>,
    stopping: AbortSignal,
    lookMs: number = LOOK_MS,
  ): Watch =>
  async (stream, look, { timeoutMs, signal, shown = () => null }) => {
    const end = AbortSignal.any([signal, stopping, AbortSignal.timeout(timeoutMs)]);
    let news = Promise.withResolvers<void>();
    const wake = (): void => news.resolve();
    const listener: Listener = {
      deliver: ({ event }) => {
        if (event.stream !== stream) return;
        const later = shown(event.position);
        if (later) void later.then(wake);
        else wake();
      },
    };
    hub.attach(listener);
    // What was told before may not show yet, either.
    void shown(hub.position())?.then(wake);
    end.addEventListener('abort', wake);
    try {
      for (;;) {
        // Renewed before the look: an event that comes during it is not slept through.
        news = Promise.withResolvers();
        const found = await look();
        if (found !== null || end.aborted) return found;
        const timer = setTimeout(wake, lookMs);
        await news.promise;
        clearTimeout(timer);
      }
    } finally {
      end.removeEventListener('abort', wake);
      hub.detach(listener);
    }
  };
