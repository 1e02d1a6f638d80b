import type { Pool } from 'pg';
import type { Head } from '../../domain/ports/event-store.ts';
import { UPCASTERS } from '../../domain/schema-versions.ts';
import { type Upcastable, upcast } from '../../domain/upcasters.ts';
import type { ChainEntry } from '../event-store/chain.ts';

/** Entries of one page. */
const PAGE_SIZE = 2000;

/** What the store says its end is, and what its table holds, at one instant. */
export interface Pin extends Head {
  /** Highest position in the table of events. */
  readonly newest: bigint;
}

/** Fixes the part of the log that a check is about. */
export const pinLog = async (pool: Pool): Promise<Pin> => {
  const { rows } = await pool.query<Pin>(
    `select position, encode(hash, 'hex') as hash, coalesce((select max(position) from log.events), 0) as newest
       from log.head`,
  );
  const [pin] = rows;
  if (!pin) throw new Error('the log has no head row');
  return pin;
};

/** Data of an entry's event in its newest shape; null for a text that cannot be read, which the chain or its stream tells. */
export const dataOf = <T>({ envelope }: ChainEntry): T | null => {
  try {
    return upcast(UPCASTERS, JSON.parse(envelope) as Upcastable).data as T;
  } catch {
    return null;
  }
};

/** Stored events up to `until`, exactly as they were hashed: read beside the event store, which would upcast them. */
export async function* readEntries(pool: Pool, until: bigint): AsyncGenerator<ChainEntry> {
  let after = -1n;
  for (;;) {
    const { rows } = await pool.query<ChainEntry>(
      `select position, stream, revision, type, envelope, encode(hash, 'hex') as hash
         from log.events where position > $1 and position <= $2 order by position limit ${PAGE_SIZE}`,
      [after, until],
    );
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < PAGE_SIZE) return;
    after = last.position;
  }
}
