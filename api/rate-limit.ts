import type { Principal } from '../infra/keys/credentials.ts';
import { memoryWindows, WINDOW_SECONDS, type Windows } from '../infra/rate-limits/windows.ts';
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

const classOf = (principal: Principal): RateClass => {
  if (principal === ANONYMOUS) return 'anonymous';
  return principal.premium ? 'premium' : 'authenticated';
};

/** Address of the peer: never a forwarded header, which anybody can write. */
const addressOf = (c: ApiContext): string => c.env?.incoming?.socket.remoteAddress ?? 'in-process';

/**
 * Limits requests per principal, or per address without one. Headers follow the IETF draft "RateLimit header fields for
 * HTTP" (structured fields).
 */
export const createRateLimiter = (limits: RateLimits, windows: Windows = memoryWindows()): RateLimiter => {
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
      const caller = name === 'anonymous' ? addressOf(c) : principal.id;
      const { admitted, remaining, resetMs } = await windows.spend(`${name} ${caller}`, limits[name]);
      const reset = setHeaders(c, name, remaining, resetMs);
      if (!admitted) c.header('Retry-After', String(reset));
      return admitted;
    },
  };
};
