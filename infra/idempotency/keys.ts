import { createHash, randomBytes } from 'node:crypto';
import type { Pool } from 'pg';

/** An answer as it was sent. */
export interface StoredAnswer {
  readonly status: number;
  readonly mediaType: string;
  readonly body: string;
}

export type Claim =
  /** The caller answers now and must `complete` or `release`. */
  | { readonly type: 'claimed' }
  | { readonly type: 'answered'; readonly answer: StoredAnswer }
  | { readonly type: 'in-flight' }
  /** The key was first used for another request. */
  | { readonly type: 'mismatch' };

export interface IdempotencyKeys {
  claim(principal: string, key: string, request: string): Promise<Claim>;
  complete(principal: string, key: string, answer: StoredAnswer): Promise<void>;
  /** Gives the key up unanswered, so that a retry may claim it. */
  release(principal: string, key: string): Promise<void>;
  /** Forgets keys older than 24 h. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

const KEPT_HOURS = 24;

interface KeyRow {
  readonly request_hash: Buffer;
  readonly holder: bigint | null;
  readonly status: number | null;
  readonly media_type: string | null;
  readonly body: string | null;
}

/**
 * Idempotency keys of `engine.idempotency_keys`. A pending row names the process that answers. That process holds an
 * advisory lock for as long as it lives, so a row whose holder's lock is free was left by a crash and a retry takes it
 * over: no time-out decides. Two answers in parallel (the lock's connection broke) do no harm, for ids derive from the key.
 */
export const createIdempotencyKeys = async ({
  pool,
  onError,
}: {
  pool: Pool;
  onError: (error: Error) => void;
}): Promise<IdempotencyKeys> => {
  const holder = randomBytes(8).readBigInt64BE();
  let keeper: Promise<() => void> | null = null;

  /** Takes the lock on a connection of its own; the result gives both back. */
  const take = async (): Promise<() => void> => {
    const client = await pool.connect();
    let held = true;
    const release = (): void => {
      if (held) client.release(true);
      held = false;
    };
    client.on('error', (error) => {
      if (!held) return;
      keeper = null;
      release();
      onError(error);
    });
    try {
      await client.query('select pg_advisory_lock($1)', [holder]);
    } catch (error) {
      release();
      throw error;
    }
    return release;
  };

  const hold = async (): Promise<void> => {
    keeper ??= take();
    try {
      await keeper;
    } catch (error) {
      keeper = null;
      throw error;
    }
  };

  const sweep = async (): Promise<void> => {
    await pool.query(
      `delete from engine.idempotency_keys where created_at < now() - $1 * interval '1 hour'`,
      [KEPT_HOURS],
    );
  };

  /** Takes the row of a process that is gone, or of a request that was given up. */
  const takeOver = async (principal: string, key: string, from: bigint | null): Promise<boolean> => {
    if (from !== null) {
      const { rows } = await pool.query<{ free: boolean }>('select pg_try_advisory_xact_lock($1) as free', [
        from,
      ]);
      if (!rows[0]?.free) return false;
    }
    const { rowCount } = await pool.query(
      `update engine.idempotency_keys set holder = $3
        where principal_id = $1 and key = $2 and status is null and holder is not distinct from $4`,
      [principal, key, holder, from],
    );
    return rowCount === 1;
  };

  await hold();

  return {
    sweep,
    claim: async (principal, key, request) => {
      await hold();
      const hash = createHash('sha256').update(request).digest();
      const inserted = await pool.query(
        `insert into engine.idempotency_keys as k (principal_id, key, request_hash, holder) values ($1, $2, $3, $4)
         on conflict (principal_id, key) do update
            set request_hash = excluded.request_hash, holder = excluded.holder,
                status = null, media_type = null, body = null, created_at = now()
          where k.created_at < now() - $5 * interval '1 hour'`,
        [principal, key, hash, holder, KEPT_HOURS],
      );
      if (inserted.rowCount === 1) return { type: 'claimed' };
      const { rows } = await pool.query<KeyRow>(
        'select request_hash, holder, status, media_type, body from engine.idempotency_keys where principal_id = $1 and key = $2',
        [principal, key],
      );
      const [row] = rows;
      if (!row) return { type: 'in-flight' };
      if (!row.request_hash.equals(hash)) return { type: 'mismatch' };
      if (row.status !== null) {
        return {
          type: 'answered',
          answer: { status: row.status, mediaType: row.media_type ?? '', body: row.body ?? '' },
        };
      }
      return (await takeOver(principal, key, row.holder)) ? { type: 'claimed' } : { type: 'in-flight' };
    },
    complete: async (principal, key, answer) => {
      await pool.query(
        `update engine.idempotency_keys set holder = null, status = $3, media_type = $4, body = $5
          where principal_id = $1 and key = $2 and status is null`,
        [principal, key, answer.status, answer.mediaType, answer.body],
      );
    },
    release: async (principal, key) => {
      await pool.query(
        'update engine.idempotency_keys set holder = null where principal_id = $1 and key = $2 and holder = $3',
        [principal, key, holder],
      );
    },
    close: async () => {
      const release = await keeper;
      keeper = null;
      release?.();
    },
  };
};
