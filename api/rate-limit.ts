import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Principal } from '../infra/keys/credentials.ts';
import type { ApiContext } from './environment.ts';
import { ANONYMOUS } from './roles.ts';

/** Requests per minute of one caller. */
export interface RateLimits {
  readonly anonymous: number;
  readonly authenticated: number;
  readonly premium: number;
}

type RateClass = keyof RateLimits;

export interface RateLimiter {
  /** Counts one request and sets the `RateLimit` headers; false, with `Retry-After`, when it is one too many. */
  admit(c: ApiContext, principal: Principal): Promise<boolean>;
}

const WINDOW_SECONDS = 60;

const classOf = (principal: Principal): RateClass => {
  if (principal === ANONYMOUS) return 'anonymous';
  return principal.premium ? 'premium' : 'authenticated';
};

/** Address of the peer: never a forwarded header, which anybody can write. */
const addressOf = (c: ApiContext): string => c.env?.incoming?.socket.remoteAddress ?? 'in-process';

/**
 * Fixed windows of a minute in this process's memory, per principal, or per address without one. Headers follow the
 * IETF draft "RateLimit header fields for HTTP" (structured fields).
 */
export const createRateLimiter = (limits: RateLimits): RateLimiter => {
  const limiters = Object.fromEntries(
    Object.entries(limits).map(([name, points]) => [
      name,
      new RateLimiterMemory({ keyPrefix: name, points, duration: WINDOW_SECONDS }),
    ]),
  ) as Record<RateClass, RateLimiterMemory>;

  /** Sets both fields and returns the seconds until the window ends. */
  const setHeaders = (c: ApiContext, name: RateClass, remaining: number, resetMs: number): number => {
    const reset = Math.max(1, Math.ceil(resetMs / 1000));
    c.header('RateLimit-Policy', `"${name}";q=${limits[name]};w=${WINDOW_SECONDS}`);
    c.header('RateLimit', `"${name}";r=${remaining};t=${reset}`);
    return reset;
  };

  return {
    admit: async (c, principal) => {
      const name = classOf(principal);
      const key = name === 'anonymous' ? addressOf(c) : principal.id;
      try {
        const { remainingPoints, msBeforeNext } = await limiters[name].consume(key);
        setHeaders(c, name, remainingPoints, msBeforeNext);
        return true;
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused;
        c.header('Retry-After', String(setHeaders(c, name, 0, refused.msBeforeNext)));
        return false;
      }
    },
  };
};
