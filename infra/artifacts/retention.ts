import type { Pool } from 'pg';
import { type Uploads, USED_KEPT_SECONDS } from '../../domain/ports/artifacts.ts';

/** Longer than any upload takes: what is not an artefact by then is what a crash left behind. */
const HALF_SENT = `interval '1 hour'`;

/** How long references and bytes last. */
export const createRetention = (pool: Pool): Pick<Uploads, 'use' | 'remove' | 'sweep'> => ({
  use: async (owner, hashes) => {
    await pool.query(
      `update engine.artifact_references
          set used_until = now() + $3 * interval '1 second',
              expires_at = case when expires_at is null then null
                                else greatest(expires_at, now() + $3 * interval '1 second') end
        where owner = $1 and sha256 = any($2)`,
      [owner, hashes, USED_KEPT_SECONDS],
    );
  },

  remove: async (sha256, owner) => {
    const { rows } = await pool.query<{ used: boolean }>(
      `with held as (
         select used_until is not null and used_until > now() as used
           from engine.artifact_references where sha256 = $1 and owner = $2),
       gone as (
         delete from engine.artifact_references r using held
          where not held.used and r.sha256 = $1 and r.owner = $2)
       select used from held`,
      [sha256, owner],
    );
    const [row] = rows;
    if (!row) return 'unknown';
    return row.used ? 'used' : 'removed';
  },

  sweep: async () => {
    await pool.query('delete from engine.artifact_references where expires_at < now()');
    // A row that an upload is about to refer to is locked by it, and skipped.
    await pool.query(
      `delete from engine.artifacts where sha256 in (
         select sha256 from engine.artifacts a
          where not exists (select from engine.artifact_references r where r.sha256 = a.sha256)
            for update skip locked)`,
    );
    await pool.query(
      `delete from engine.contents c
        where begun_at < now() - ${HALF_SENT}
          and not exists (select from engine.artifacts a where a.content = c.id)`,
    );
  },
});
