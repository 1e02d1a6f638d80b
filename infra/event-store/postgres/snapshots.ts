import type { Pool } from 'pg';
import type { Snapshot } from '../../../domain/ports/event-store.ts';
import { stateText } from '../state-text.ts';

export const loadSnapshot = async (pool: Pool, stream: string): Promise<Snapshot | null> => {
  const { rows } = await pool.query<{ revision: string | bigint; version: number; state: string }>({
    name: 'log-snapshot',
    text: 'select revision, version, state from log.snapshots where stream = $1',
    values: [stream],
  });
  const [row] = rows;
  return row ? { revision: BigInt(row.revision), version: row.version, state: JSON.parse(row.state) } : null;
};

/** Keeps the newest revision: a late writer does not put an older state back. */
export const saveSnapshot = async (pool: Pool, stream: string, snapshot: Snapshot): Promise<void> => {
  await pool.query({
    name: 'log-save-snapshot',
    text: `insert into log.snapshots as kept (stream, revision, version, state) values ($1, $2, $3, $4)
           on conflict (stream) do update
              set revision = excluded.revision, version = excluded.version, state = excluded.state, saved_at = now()
            where excluded.revision >= kept.revision`,
    values: [stream, snapshot.revision, snapshot.version, stateText(snapshot.state)],
  });
};
