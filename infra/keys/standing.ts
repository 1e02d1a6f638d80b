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
  const { rows } = await pool.query<{ roles: Role[]; premium: boolean }>(
    `select roles, premium from engine.principals p
      where principal_id = $1 and disabled_at is null and exists
        (select from engine.credentials c where c.principal_id = p.principal_id and c.revoked_at is null)`,
    [principalId],
  );
  return rows[0] ?? null;
};
