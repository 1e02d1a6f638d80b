import type { Principal } from '../infra/keys/credentials.ts';
import { memoryWindows, type Spent, WINDOW_SECONDS, type Windows } from '../infra/rate-limits/windows.ts';
import type { ApiContext } from './environment.ts';
import { ANONYMOUS } from './roles.ts';

/** Requests per minute: of one caller by its class, and of all callers with an identity in one network. */
export interface RateLimits {
  readonly anonymous: number;
  readonly authenticated: number;
  readonly premium: number;
  readonly network: number;
}

type RateClass = keyof RateLimits;

export interface RateLimiter {
  /** Counts one request and sets the `RateLimit` headers; false, with `Retry-After`, when it is one too many. */
  admit(c: ApiContext, principal: Principal, purpose?: 'sign-in'): Promise<boolean>;
  /** Counts a sign-in of `principal` from a network that has none left: each principal has a few of its own. */
  spare(c: ApiContext, principal: string): Promise<boolean>;
}

/** Sign-ins per minute that a principal has from a network whose others are spent. */
const SPARE_SIGN_INS = 10;

const classOf = (principal: Principal): Exclude<RateClass, 'network'> => {
  if (principal === ANONYMOUS) return 'anonymous';
  return principal.premium ? 'premium' : 'authenticated';
};

/**
 * Limits requests per principal, and per network (IPv4 /24, IPv6 /64) together: who makes itself more keys gets no more
 * requests. Without an identity the network is the caller, with sign-ins counted apart. Premium is granted by hand, so it
 * is counted by principal alone. Headers follow the IETF draft "RateLimit header fields for HTTP" (structured fields).
 */
export const createRateLimiter = (limits: RateLimits, windows: Windows = memoryWindows()): RateLimiter => {
  /** Tells how the caller stands in the window that bounds it. */
  const tell = (c: ApiContext, name: RateClass, { admitted, remaining, resetMs }: Spent): boolean => {
    const reset = Math.max(1, Math.ceil(resetMs / 1000));
    c.header('RateLimit-Policy', `"${name}";q=${limits[name]};w=${WINDOW_SECONDS}`);
    c.header('RateLimit', `"${name}";r=${remaining};t=${reset}`);
    if (!admitted) c.header('Retry-After', String(reset));
    return admitted;
  };

  return {
    admit: async (c, principal, purpose) => {
      const name = classOf(principal);
      const network = c.get('network');
      const caller = name === 'anonymous' ? [purpose ?? name, network] : [name, principal.id];
      const isAdmitted = tell(c, name, await windows.spend(caller.join(' '), limits[name]));
      if (!isAdmitted || name !== 'authenticated') return isAdmitted;
      const shared = await windows.spend(`network ${network}`, limits.network);
      return shared.admitted || tell(c, 'network', shared);
    },
    spare: async (c, principal) =>
      (await windows.spend(`spare ${c.get('network')} ${principal}`, SPARE_SIGN_INS)).admitted,
  };
};
