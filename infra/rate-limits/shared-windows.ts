import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { memoryWindows, WINDOW_SECONDS, type Windows } from './windows.ts';

export interface SharedWindows extends Windows {
  close(): void;
}

export interface SharedWindowsOptions {
  /** For one statement at a time; a pool of its own keeps limits from waiting for the requests that they limit. */
  readonly pool: Pick<Pool, 'query'>;
  /** Told once when the store cannot be asked. */
  readonly onFault: (message: string, error: unknown) => void;
  readonly monotonic?: () => number;
  /** A store that does not answer for so long is away, and is left alone for so long. */
  readonly awayMs?: number;
}

/** What this process holds of one key's window. */
interface Held {
  /** Taken from the store and not spent. */
  left: number;
  /** Left in the store when it was last asked. */
  rest: number;
  endsAt: number;
}

interface Wanted {
  readonly limit: number;
  waiting: number;
}

interface WindowRow {
  readonly key: string;
  readonly taken: number;
  readonly resetMs: number;
}

/** Keys that are remembered: what is left of a forgotten one is lost to its caller. */
const HELD_KEYS = 50_000;
const AWAY_MS = 1_000;
const SWEEP_MS = 60_000;

/** A twentieth of a limit at a time, so that the store is asked 20 times a minute by a caller at its limit. */
export const blockOf = (limit: number): number => Math.min(Math.max(1, Math.floor(limit / 20)), 250);

/** In the order of the keys: two processes that count the same ones do not wait for each other in a circle. */
const TAKE = `
  insert into engine.rate_windows as held (key, taken, ends_at)
  select key, want, now() + $3 * interval '1 second'
    from unnest($1::text[], $2::integer[]) as asked(key, want) order by key
  on conflict (key) do update
     set taken = case when held.ends_at > now() then held.taken + excluded.taken else excluded.taken end,
         ends_at = case when held.ends_at > now() then held.ends_at else excluded.ends_at end
  returning key, taken, (extract(epoch from ends_at - now()) * 1000)::float8 as "resetMs"`;

/**
 * Windows that all processes share, in `engine.rate_windows`. A process takes blocks of requests and spends them by
 * itself, and a key that is spent is refused without asking: in the long run, a statement serves a block, and all blocks
 * that are asked for meanwhile. Processes together never admit more than the limit of a window; a caller may be refused up
 * to a block per process early, when its requests go to another process than before.
 *
 * While the store is away every process counts for itself, so that N of them may admit N times the limit, but not more.
 */
export const sharedWindows = ({
  pool,
  onFault,
  monotonic = () => performance.now(),
  awayMs = AWAY_MS,
}: SharedWindowsOptions): SharedWindows => {
  const insurance = memoryWindows();
  const held = new LRUCache<string, Held>({ max: HELD_KEYS });
  let wanted = new Map<string, Wanted>();
  let lane: Promise<boolean> | null = null;
  let next: Promise<boolean> | null = null;
  let awayUntil = Number.NEGATIVE_INFINITY;
  let isAway = false;

  const note = ({ key, taken, resetMs }: WindowRow, { limit, want }: { limit: number; want: number }) => {
    const now = monotonic();
    const granted = Math.min(Math.max(0, limit - (taken - want)), want);
    const before = held.get(key);
    const left = before && now < before.endsAt ? before.left : 0;
    held.set(key, { left: left + granted, rest: Math.max(0, limit - taken), endsAt: now + resetMs });
  };

  const ask = async (asked: ReadonlyMap<string, Wanted>): Promise<void> => {
    const wants = new Map(
      [...asked].map(([key, { limit, waiting }]) => [
        key,
        { limit, want: Math.min(limit, Math.max(blockOf(limit), waiting)) },
      ]),
    );
    const { rows } = await pool.query<WindowRow>(TAKE, [
      [...wants.keys()],
      [...wants.values()].map(({ want }) => want),
      WINDOW_SECONDS,
    ]);
    for (const row of rows) note(row, wants.get(row.key) as { limit: number; want: number });
  };

  /** Asks for everything that is wanted by now; false when the store is away. */
  const flush = async (): Promise<boolean> => {
    const asked = wanted;
    wanted = new Map();
    next = null;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(reject, awayMs, new Error(`no answer within ${awayMs} ms`));
    try {
      await Promise.race([ask(asked), late]);
      isAway = false;
      return true;
    } catch (error) {
      if (!isAway) onFault('every process counts requests for itself', error);
      isAway = true;
      awayUntil = monotonic() + awayMs;
      return false;
    } finally {
      clearTimeout(timer);
    }
  };

  /** One statement is under way at a time; what is wanted meanwhile goes into the next one. */
  const take = (key: string, limit: number): Promise<boolean> => {
    const want = wanted.get(key);
    if (want) want.waiting += 1;
    else wanted.set(key, { limit, waiting: 1 });
    next ??= (lane ?? Promise.resolve(true)).then(() => {
      lane = flush();
      return lane;
    });
    return next;
  };

  const sweep = setInterval(() => {
    pool
      .query(`delete from engine.rate_windows where ends_at < now()`)
      .catch((error: unknown) => onFault('windows that have ended were not deleted', error));
  }, SWEEP_MS);
  sweep.unref();

  return {
    spend: async (key, limit) => {
      for (;;) {
        const now = monotonic();
        const mine = held.get(key);
        if (mine && now < mine.endsAt) {
          const resetMs = mine.endsAt - now;
          if (mine.left > 0) {
            mine.left -= 1;
            return { admitted: true, remaining: mine.rest + mine.left, resetMs };
          }
          if (mine.rest === 0) return { admitted: false, remaining: 0, resetMs };
        }
        if (now < awayUntil || !(await take(key, limit))) return insurance.spend(key, limit);
      }
    },
    close: () => clearInterval(sweep),
  };
};
