import pg from 'pg';
import type { NewEvent } from '../../../domain/event.ts';

/** A plain table of events behind pg's defaults: no expected revision, no hash, no order of commits. */
export interface RawLog {
  readonly pool: pg.Pool;
  /** One multi-row INSERT, one commit. */
  insert(stream: string, firstRevision: number, events: readonly NewEvent[]): Promise<void>;
  close(): Promise<void>;
}

const COLUMNS = 7;

const TABLE = `
  create table raw_events (
    position bigint generated always as identity primary key,
    stream text not null,
    revision bigint not null,
    type text not null,
    schema_version integer not null,
    data jsonb not null,
    meta jsonb not null,
    workflow_id text,
    run_id text,
    recorded_at timestamptz not null default now(),
    unique (stream, revision)
  )`;

const insertText = (events: number): string => {
  const rows = Array.from({ length: events }, (_, row) => {
    const first = row * COLUMNS;
    return `($${first + 1}, $${first + 2}, $${first + 3}, $${first + 4}, $${first + 5}, $${first + 6}, $${first + 7})`;
  });
  return `insert into raw_events (stream, revision, type, schema_version, data, meta, workflow_id)
          values ${rows.join(', ')}`;
};

export const createRawLog = async (url: string): Promise<RawLog> => {
  const pool = new pg.Pool({ connectionString: url, max: 32 });
  // The server stops while the pool still says goodbye.
  pool.on('error', () => undefined);
  await pool.query(TABLE);
  const texts = new Map<number, string>();

  return {
    pool,
    insert: async (stream, firstRevision, events) => {
      const text = texts.get(events.length) ?? insertText(events.length);
      texts.set(events.length, text);
      const values: unknown[] = [];
      for (const [index, { type, schemaVersion, data, ...meta }] of events.entries()) {
        values.push(stream, firstRevision + index, type, schemaVersion);
        values.push(JSON.stringify(data), JSON.stringify(meta), stream);
      }
      await pool.query({ name: `insert-${events.length}`, text, values });
    },
    close: () => pool.end(),
  };
};
