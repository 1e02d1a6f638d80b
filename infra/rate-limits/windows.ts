import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** One request, counted. */
export interface Spent {
  readonly admitted: boolean;
  /** Requests that the caller has left in this window, as far as this process knows. */
  readonly remaining: number;
  /** Until the window ends. */
  readonly resetMs: number;
}

/** Fixed windows of a minute that begin with the first request of a key. */
export interface Windows {
  /** Counts one request of `key`, of which there may be `limit`. A key always has the same limit. */
  spend(key: string, limit: number): Promise<Spent>;
}

/** Windows whose requests may weigh more than one. */
export interface WeighedWindows extends Windows {
  spend(key: string, limit: number, weight?: number): Promise<Spent>;
}

export const WINDOW_SECONDS = 60;

/** Windows of this process alone. */
export const memoryWindows = (): WeighedWindows => {
  const limiters = new Map<number, RateLimiterMemory>();
  const limiterOf = (limit: number): RateLimiterMemory => {
    const known = limiters.get(limit);
    if (known) return known;
    const limiter = new RateLimiterMemory({
      keyPrefix: `${limit}`,
      points: limit,
      duration: WINDOW_SECONDS,
    });
    limiters.set(limit, limiter);
    return limiter;
  };

  return {
    spend: async (key, limit, weight = 1) => {
      try {
        const { remainingPoints, msBeforeNext } = await limiterOf(limit).consume(key, weight);
        return { admitted: true, remaining: remainingPoints, resetMs: msBeforeNext };
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused;
        return { admitted: false, remaining: 0, resetMs: refused.msBeforeNext };
      }
    },
  };
};
