import { createHmac, hkdfSync } from 'node:crypto';
import type { Pool } from 'pg';
import { createHolder } from './holder.ts';
import { createOwed } from './owed.ts';

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
  /** Stores the answer. Never rejects: what the store cannot take now, it gets later. */
  complete(principal: string, key: string, answer: StoredAnswer): Promise<void>;
  /** Gives the key up unanswered, so that a retry may claim it. Never rejects either. */
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
 * Idempotency keys of `engine.idempotency_keys`. A pending row names the process that answers, and a retry takes it over
 * when nobody does: the advisory lock of that process is free, so it has died; or it is this process, which knows what it
 * has in flight. What a process could not write about a row it makes up for, so no row of a living one is left behind.
 * No time-out decides. Two answers in parallel (the lock's connection broke while its process lived) do no harm: ids
 * derive from the key, and the log answers a command that it knows with its first outcome.
 */
export const createIdempotencyKeys = async ({
  pool,
  masterKey,
  onError,
}: {
  pool: Pool;
  /** Of all processes; keys the hashes of requests, so that the table alone does not let its reader try prices of bids. */
  masterKey: Uint8Array;
  onError: (error: Error) => void;
}): Promise<IdempotencyKeys> => {
  const hashKey = Buffer.from(hkdfSync('sha256', masterKey, '', 'aivillage-idempotency-v1', 32));
  const holder = await createHolder({ pool, onError });
  const owed = createOwed(onError);
  /** Hash of the request by the key that this process answers now. */
  const inFlight = new Map<string, Buffer>();
  // Neither ids of principals nor keys contain a line feed.
  const idOf = (principal: string, key: string): string => `${principal}\n${key}`;

  const free = async (principal: string, key: string): Promise<void> => {
    await pool.query(
      `update engine.idempotency_keys set holder = null
        where principal_id = $1 and key = $2 and holder = any($3::bigint[])`,
      [principal, key, holder.marks().map(String)],
    );
  };

  /** Takes a row that nobody answers. Its holder is not this process, or it is and has nothing in flight under the key. */
  const takeOver = async (
    principal: string,
    key: string,
    from: bigint | null,
    mark: bigint,
  ): Promise<boolean> => {
    if (from !== null && !holder.marks().includes(from)) {
      const { rows } = await pool.query<{ free: boolean }>('select pg_try_advisory_xact_lock($1) as free', [
        from,
      ]);
      if (!rows[0]?.free) return false;
    }
    const { rowCount } = await pool.query(
      `update engine.idempotency_keys set holder = $3
        where principal_id = $1 and key = $2 and status is null and holder is not distinct from $4`,
      [principal, key, mark, from],
    );
    return rowCount === 1;
  };

  const claimRow = async (principal: string, key: string, hash: Buffer, mark: bigint): Promise<Claim> => {
    const inserted = await pool.query(
      `insert into engine.idempotency_keys as k (principal_id, key, request_hash, holder) values ($1, $2, $3, $4)
       on conflict (principal_id, key) do update
          set request_hash = excluded.request_hash, holder = excluded.holder,
              status = null, media_type = null, body = null, created_at = now()
        where k.created_at < now() - $5 * interval '1 hour'`,
      [principal, key, hash, mark, KEPT_HOURS],
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
    return (await takeOver(principal, key, row.holder, mark)) ? { type: 'claimed' } : { type: 'in-flight' };
  };

  return {
    claim: async (principal, key, request) => {
      const id = idOf(principal, key);
      const hash = createHmac('sha256', hashKey).update(request).digest();
      const running = inFlight.get(id);
      if (running) return { type: running.equals(hash) ? 'in-flight' : 'mismatch' };
      // Before anything is awaited: of the claims of one process, one gets to the table.
      inFlight.set(id, hash);
      let claim: Claim | null = null;
      let mayBeWritten = false;
      try {
        await owed.settle(id);
        const mark = await holder.current();
        mayBeWritten = true;
        claim = await claimRow(principal, key, hash, mark);
        return claim;
      } finally {
        if (claim?.type !== 'claimed') inFlight.delete(id);
        if (claim === null && mayBeWritten) void owed.pay(id, () => free(principal, key));
      }
    },
    complete: async (principal, key, answer) => {
      const id = idOf(principal, key);
      await owed.pay(id, async () => {
        await pool.query(
          `update engine.idempotency_keys set holder = null, status = $3, media_type = $4, body = $5
            where principal_id = $1 and key = $2 and status is null`,
          [principal, key, answer.status, answer.mediaType, answer.body],
        );
      });
      inFlight.delete(id);
    },
    release: async (principal, key) => {
      const id = idOf(principal, key);
      await owed.pay(id, () => free(principal, key));
      inFlight.delete(id);
    },
    sweep: async () => {
      await pool.query(
        `delete from engine.idempotency_keys where created_at < now() - $1 * interval '1 hour'`,
        [KEPT_HOURS],
      );
    },
    close: async () => {
      owed.close();
      await holder.close();
    },
  };
};
