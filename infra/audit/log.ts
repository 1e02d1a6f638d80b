import type { Pool } from 'pg';
import type { Head } from '../../domain/ports/event-store.ts';
import { UPCASTERS } from '../../domain/schema-versions.ts';
import { type Upcastable, upcast } from '../../domain/upcasters.ts';
import type { ChainEntry } from '../event-store/chain.ts';

/** Entries of one page. */
const PAGE_SIZE = 2000;
/** Streams of one page. */
const STREAMS_PAGE = 500;

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

/** A stored event, and the last revision that its stream had before it; -1 for none. */
export interface LogEntry extends ChainEntry {
  readonly before: bigint;
}

const ENTRY = `
  select entry.position, entry.stream, entry.revision, entry.type, entry.envelope,
         encode(entry.hash, 'hex') as hash, coalesce(known.revision, -1) as before
    from log.events entry
    left join lateral (
      select revision from log.events
       where stream = entry.stream and revision <= entry.revision and position < entry.position
       order by revision desc limit 1
    ) known on true`;

/** The events of one stream up to `until`, as they were hashed. For streams that are short. */
export const entriesOf = async (pool: Pool, stream: string, until: bigint): Promise<LogEntry[]> => {
  const { rows } = await pool.query<LogEntry>(
    `${ENTRY} where entry.stream = $1 and entry.position <= $2 order by entry.revision`,
    [stream, until],
  );
  return rows;
};

/**
 * Stored events from behind `from` up to `until`, exactly as they were hashed: read beside the event store, which would
 * upcast them.
 */
export async function* readEntries(pool: Pool, until: bigint, from = -1n): AsyncGenerator<LogEntry> {
  let after = from;
  for (;;) {
    const { rows } = await pool.query<LogEntry>(
      `${ENTRY} where entry.position > $1 and entry.position <= $2 order by entry.position limit ${PAGE_SIZE}`,
      [after, until],
    );
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < PAGE_SIZE) return;
    after = last.position;
  }
}

/** A stream, and its last revision in the part of the log that a check is about. */
export interface StreamEnd {
  readonly stream: string;
  readonly revision: bigint;
}

/** Every stream that has an event behind `from` and up to `until`, by name: found from one to the next, by the index. */
export async function* readStreamEnds(pool: Pool, until: bigint, from = -1n): AsyncGenerator<StreamEnd> {
  let after = '';
  for (;;) {
    const { rows } = await pool.query<{
      stream: string;
      revision: bigint | null;
      position: bigint | null;
    }>(
      `with recursive named as (
         (select stream from log.events where stream > $1 order by stream limit 1)
         union all
         select (select stream from log.events where stream > named.stream order by stream limit 1)
           from named where stream is not null
       )
       select named.stream, newest.revision, newest.position
         from named
         left join lateral (
           select revision, position from log.events
            where stream = named.stream and position <= $2 order by revision desc limit 1
         ) newest on true
        where named.stream is not null limit ${STREAMS_PAGE}`,
      [after, until],
    );
    for (const { stream, revision, position } of rows)
      if (revision !== null && position !== null && position > from) yield { stream, revision };
    const last = rows.at(-1);
    if (!last || rows.length < STREAMS_PAGE) return;
    after = last.stream;
  }
}
