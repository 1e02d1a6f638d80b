import type { RecordedEvent } from '../../domain/event.ts';
import type { Wakeups } from './wakeups.ts';

export interface SubscriptionOptions {
  /** First position wanted, exclusive. */
  readonly after: bigint;
  readonly signal: AbortSignal;
  /** The next events after a position, in order; empty at the end of the log. May wait for a server that is away. */
  readonly page: (after: bigint, limit: number) => Promise<RecordedEvent[]>;
  readonly wakeups: Wakeups;
  /** Longest wait for a wake-up before the log is asked anyway. */
  readonly pollMs: number;
}

const PAGE = 1_000;

/** Pulls by position; wake-ups only say when. While catching up, the next page is read as the consumer works. */
export async function* subscription(options: SubscriptionOptions): AsyncGenerator<readonly RecordedEvent[]> {
  const { signal, wakeups, pollMs } = options;
  let cursor = options.after;
  const read = () => settled(options.page(cursor, PAGE));
  let next = read();
  while (true) {
    const result = await next;
    if (signal.aborted) return;
    if (!result.ok) throw result.error;
    const { events } = result;
    const last = events.at(-1);
    if (last === undefined) {
      await wakeups.past(cursor, pollMs, signal);
      if (signal.aborted) return;
      next = read();
      continue;
    }
    checkGapless(cursor, events, last);
    cursor = last.position;
    const ahead = events.length === PAGE ? read() : null;
    yield events;
    if (signal.aborted) return;
    next = ahead ?? read();
  }
}

type Settled = { ok: true; events: RecordedEvent[] } | { ok: false; error: unknown };

/** A page that is read ahead may fail while nobody looks; the error is kept for its turn. */
const settled = (page: Promise<RecordedEvent[]>): Promise<Settled> =>
  page.then(
    (events) => ({ ok: true, events }),
    (error: unknown) => ({ ok: false, error }),
  );

const checkGapless = (cursor: bigint, events: readonly RecordedEvent[], last: RecordedEvent): void => {
  if (events[0]?.position === cursor + 1n && last.position === cursor + BigInt(events.length)) return;
  throw new Error(`the log has a gap or an event twice between ${cursor} and ${last.position}`);
};
