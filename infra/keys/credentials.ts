import { createHash, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import type { Role } from '../../domain/subject/events.ts';
import { msBetween } from '../../domain/time.ts';
import type { News } from '../postgres/news.ts';
import type { AccessTokens } from './access-tokens.ts';
import { parseApiKey } from './api-key.ts';
import { type Standing, standingOf } from './standing.ts';

/** Who calls: what every route decides by. */
export interface Principal extends Standing {
  readonly id: string;
}

export interface Credentials {
  byApiKey(apiKey: string): Promise<Principal | null>;
  byToken(token: string): Promise<Principal | null>;
  /** `publicKey` in lower-case hex. */
  byPublicKey(publicKey: string): Promise<Principal | null>;
  /** Whether the principal was ever enrolled. */
  exists(principalId: string): Promise<boolean>;
  /** Drops cached verdicts after a change here. Other processes hear of it by the channel `PRINCIPALS_CHANGED`. */
  forget(): void;
  /** Withdraws everything a principal holds, tokens included. */
  disable(principalId: string): Promise<void>;
}

interface CredentialRow {
  readonly principal_id: string;
  readonly roles: Role[];
  readonly premium: boolean;
  readonly secret_hash: Buffer | null;
}

/** Channel on which changes of principals and credentials are told (migration 0014). */
export const PRINCIPALS_CHANGED = 'principals_changed';

const CACHE_MS = 60_000;
/** A change is known everywhere after so long at most. */
const STALE_MS = 1_000;
const CACHE_ENTRIES = 10_000;

const principalOf = (row: CredentialRow): Principal => ({
  id: row.principal_id,
  roles: row.roles,
  premium: row.premium,
});

/** A verdict, and when the rows that it rests on were read at the earliest (monotonic milliseconds). */
interface Verdict {
  readonly principal: Principal;
  readonly readAt: number;
}

/**
 * Looks callers up in `engine.principals` and `engine.credentials`. Verified tokens and API keys are remembered under
 * their SHA-256, never under themselves, for at most 60 s and never past their expiry. Refusals are not remembered, so
 * an attacker cannot fill the cache.
 *
 * A change in any process drops what is remembered. While `changes` is not known to be complete up to a second ago, and
 * where there is none, a verdict counts for a second after its rows were read: a change is effective within that time
 * whatever becomes of connections and processes.
 */
export const createCredentials = ({
  pool,
  tokens,
  now,
  changes,
  monotonic = () => performance.now(),
}: {
  pool: Pool;
  tokens: AccessTokens;
  now: () => string;
  changes?: Pick<News, 'onNews' | 'asOf'>;
  monotonic?: () => number;
}): Credentials => {
  const verified = new LRUCache<string, Verdict>({ max: CACHE_ENTRIES, ttl: CACHE_MS });
  /** Rises with everything that drops verdicts: one that was being made meanwhile may rest on old rows. */
  let generation = 0;

  const forget = (): void => {
    generation += 1;
    verified.clear();
  };
  changes?.onNews(forget);

  const isCurrent = ({ readAt }: Verdict): boolean => {
    const oldest = monotonic() - STALE_MS;
    return readAt >= oldest || (changes !== undefined && changes.asOf() >= oldest);
  };

  const cached = async (
    secret: string,
    verify: () => Promise<{ principal: Principal; lifeMs: number } | null>,
  ): Promise<Principal | null> => {
    const key = createHash('sha256').update(secret).digest('base64');
    const known = verified.get(key);
    if (known && isCurrent(known)) return known.principal;
    const [before, readAt] = [generation, monotonic()];
    const found = await verify();
    if (!found || found.lifeMs <= 0) return null;
    const { principal, lifeMs } = found;
    if (before === generation) verified.set(key, { principal, readAt }, { ttl: Math.min(lifeMs, CACHE_MS) });
    return principal;
  };

  const credential = async (id: string, kind: 'api-key' | 'public-key'): Promise<CredentialRow | null> => {
    const { rows } = await pool.query<CredentialRow>(
      `select p.principal_id, p.roles, p.premium, c.secret_hash
         from engine.credentials c join engine.principals p using (principal_id)
        where c.credential_id = $1 and c.kind = $2 and c.revoked_at is null and p.disabled_at is null`,
      [id, kind],
    );
    return rows[0] ?? null;
  };

  return {
    byApiKey: (apiKey) =>
      cached(apiKey, async () => {
        const parts = parseApiKey(apiKey);
        if (!parts) return null;
        const row = await credential(parts.id, 'api-key');
        if (!row?.secret_hash || !timingSafeEqual(row.secret_hash, parts.secretHash)) return null;
        return { principal: principalOf(row), lifeMs: CACHE_MS };
      }),
    byToken: (token) =>
      cached(token, async () => {
        const claims = await tokens.verify(token);
        if (!claims) return null;
        const standing = await standingOf(pool, claims.subject);
        if (!standing) return null;
        // A role that was withdrawn since is withdrawn from the token, too.
        const roles = claims.roles.filter((role) => standing.roles.includes(role));
        return {
          principal: { id: claims.subject, roles, premium: standing.premium },
          lifeMs: msBetween(now(), claims.expiresAt),
        };
      }),
    byPublicKey: async (publicKey) => {
      const row = await credential(publicKey, 'public-key');
      return row && principalOf(row);
    },
    exists: async (principalId) => {
      const { rowCount } = await pool.query('select from engine.principals where principal_id = $1', [
        principalId,
      ]);
      return rowCount === 1;
    },
    forget,
    disable: async (principalId) => {
      await pool.query(
        'update engine.principals set disabled_at = coalesce(disabled_at, now()) where principal_id = $1',
        [principalId],
      );
      forget();
    },
  };
};
