import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import type { Session } from './projection.ts';

/**
 * Runs `work` on a session of its own. Commits do not wait for the disk: the log is what is durable, and a build that
 * loses its last commits to a crash loses rows and checkpoint together, so it only reads them again.
 */
export const withSession = async <T>(pool: Pool, work: (session: Session) => Promise<T>): Promise<T> => {
  const client: PoolClient = await pool.connect();
  try {
    await client.query('set synchronous_commit = off');
    return await work(client);
  } finally {
    // The server notices the end of a session late, and others wait for its locks. A lost session has none left.
    await client.query('select pg_advisory_unlock_all()').catch(() => undefined);
    // Ends the session, and with it its settings and what is left of its locks.
    client.release(true);
  }
};

/** First key of the locks below, so that they meet no others. */
const LOCKS = 'fog';

/** Takes a session-wide lock if it is free. Whoever loses the session loses the lock. */
export const tryLock = async (session: Session, name: string): Promise<boolean> => {
  const { rows } = await session.query<{ locked: boolean }>(
    'select pg_try_advisory_lock(hashtext($1), hashtext($2)) as locked',
    [LOCKS, name],
  );
  return rows[0]?.locked === true;
};

/**
 * Ends the sessions of the application `name` that hold such a lock; what they had not committed is undone.
 * @returns how many there were.
 */
export const endSessionsOf = async (session: Session, name: string): Promise<number> => {
  const { rows } = await session.query<{ ended: boolean }>(
    `select pg_terminate_backend(pid) as ended
       from (select distinct pid from pg_locks join pg_stat_activity using (pid)
              where locktype = 'advisory' and granted and application_name = $2 and datname = current_database()
                and classid = (hashtext($1)::bigint & 4294967295)::oid and objsubid = 2) as holders`,
    [LOCKS, name],
  );
  return rows.length;
};

/** Waits, less when `signal` aborts. */
export const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
};
