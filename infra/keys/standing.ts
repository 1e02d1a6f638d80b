import type { Pool } from 'pg';
import type { Role } from '../../domain/subject/events.ts';

/** What a principal may do now. */
export interface Standing {
  readonly roles: readonly Role[];
  /** Has the higher request rate. */
  readonly premium: boolean;
}

/** The standing of a principal; null for one that is unknown, disabled, or left without a valid key. */
export const standingOf = async (pool: Pool, principalId: string): Promise<Standing | null> => {
  const { rows } = await pool.query<{ roles: Role[]; premium: boolean }>({
    name: 'standing',
    text: `select roles, premium from engine.principals p
      where principal_id = $1 and disabled_at is null and exists
        (select from engine.credentials c where c.principal_id = p.principal_id and c.revoked_at is null)`,
    values: [principalId],
  });
  return rows[0] ?? null;
};

/**
 * The roles that a public key (lower-case hex) may act in now; none for one that was revoked or whose principal is
 * disabled, null for one that was never enrolled.
 */
export const rolesOfKey = async (pool: Pool, publicKey: string): Promise<readonly Role[] | null> => {
  const { rows } = await pool.query<{ roles: Role[] }>(
    `select case when p.disabled_at is null and c.revoked_at is null then p.roles else '{}' end as roles
       from engine.credentials c join engine.principals p using (principal_id)
      where c.credential_id = $1 and c.kind = 'public-key'`,
    [publicKey],
  );
  return rows[0]?.roles ?? null;
};
