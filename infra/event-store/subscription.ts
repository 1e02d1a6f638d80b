import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordedEvent } from '../../domain/event.ts';
import type { Wakeups } from './wakeups.ts';

interface FollowOptions {
  /** First position wanted, exclusive. */
  readonly after: bigint;
  readonly signal: AbortSignal;
  readonly wakeups: Wakeups;
  /** Longest wait for a wake-up before the log is asked anyway. */
  readonly pollMs: number;
  /** Least time between two answers at the end of the log: what is committed meanwhile comes together. None unless given. */
  readonly restMs?: number;
}

/** The first event after a while is told at once; those on its heels wait for each other. */
const rest = async ({ restMs = 0, signal }: FollowOptions): Promise<void> => {
  if (restMs > 0) await sleep(restMs, undefined, { signal }).catch(() => undefined);
};

export interface SubscriptionOptions extends FollowOptions {
  /** The next events after a position, in order; empty at the end of the log. May wait for a server that is away. */
  readonly page: (after: bigint, limit: number) => Promise<RecordedEvent[]>;
}

const PAGE = 1_000;
/** What a few commits bring: who follows the end of the log asks for no more, and the store has a plan ready for that. */
const LIVE_PAGE = 100;

/**
 * Pulls by position; wake-ups only say when. While catching up, the next page is read as the consumer works; at the end of
 * the log nothing is read until a wake-up tells of more.
 */
export async function* subscription(options: SubscriptionOptions): AsyncGenerator<readonly RecordedEvent[]> {
  const { signal, wakeups, pollMs } = options;
  let cursor = options.after;
  let limit = PAGE;
  const read = () => settled(options.page(cursor, limit));
  let next = read();
  while (true) {
    const result = await next;
    if (signal.aborted) return;
    if (!result.ok) throw result.error;
    const { events } = result;
    const mayHaveMore = events.length === limit;
    limit = mayHaveMore ? PAGE : LIVE_PAGE;
    const last = events.at(-1);
    if (last !== undefined) {
      checkGapless(cursor, events, last);
      cursor = last.position;
    }
    const ahead = mayHaveMore ? read() : null;
    if (last !== undefined) {
      yield events;
      if (signal.aborted) return;
    }
    if (!ahead) {
      if (last !== undefined) await rest(options);
      await wakeups.past(cursor, pollMs, signal);
      if (signal.aborted) return;
    }
    next = ahead ?? read();
  }
}

export interface HeadsOptions extends FollowOptions {
  /** Position of the newest event, from the log itself. */
  readonly head: () => Promise<bigint>;
}

/** How far the log goes, whenever that is past `after` and what was said before. Wake-ups say it without a question. */
export async function* heads(options: HeadsOptions): AsyncGenerator<bigint> {
  const { after, signal, wakeups, pollMs, head } = options;
  let said = after;
  let known = await head();
  while (!signal.aborted) {
    if (known > said) {
      said = known;
      yield said;
      await rest(options);
    }
    await wakeups.past(said, pollMs, signal);
    if (signal.aborted) return;
    const heard = wakeups.newest();
    known = heard > said ? heard : await head();
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
