import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Snapshot } from '../../../domain/ports/event-store.ts';
import { stateText } from '../state-text.ts';

export interface Snapshots {
  load(stream: string): Promise<Snapshot | null>;
  loadAll(streams: readonly string[]): Promise<ReadonlyMap<string, Snapshot>>;
  revisions(streams: readonly string[]): Promise<ReadonlyMap<string, bigint>>;
  /** Keeps the newest revision: a late writer does not put an older state back. */
  save(stream: string, snapshot: Snapshot): Promise<void>;
}

interface SnapshotRow {
  readonly stream: string;
  readonly revision: string | bigint;
  readonly version: number;
  readonly state: string;
}

interface Waiting {
  readonly revision: bigint;
  readonly version: number;
  readonly state: string;
  readonly done: PromiseWithResolvers<void>;
}

/** Snapshots beside the log. Those that are saved while a statement is under way share the next one. */
export const createSnapshots = (pool: Pool): Snapshots => {
  let waiting = new Map<string, Waiting>();
  let lane: Promise<void> | null = null;

  const write = async (batch: ReadonlyMap<string, Waiting>): Promise<void> => {
    const rows = [...batch.values()];
    await pool.query({
      name: 'log-save-snapshots',
      text: `insert into log.snapshots as kept (stream, revision, version, state)
             select * from unnest($1::text[], $2::bigint[], $3::integer[], $4::text[])
             on conflict (stream) do update
                set revision = excluded.revision, version = excluded.version, state = excluded.state, saved_at = now()
              where excluded.revision >= kept.revision`,
      values: [
        [...batch.keys()],
        rows.map(({ revision }) => revision),
        rows.map(({ version }) => version),
        rows.map(({ state }) => state),
      ],
    });
  };

  const drain = async (): Promise<void> => {
    while (waiting.size > 0) {
      // Streams that ended with one commit are saved in this turn of the event loop.
      await nextTurn();
      const batch = waiting;
      waiting = new Map();
      try {
        await write(batch);
        for (const { done } of batch.values()) done.resolve();
      } catch (error) {
        for (const { done } of batch.values()) done.reject(error);
      }
    }
    lane = null;
  };

  const loadAll: Snapshots['loadAll'] = async (streams) => {
    const { rows } = await pool.query<SnapshotRow>({
      name: 'log-snapshots',
      text: 'select stream, revision, version, state from log.snapshots where stream = any($1)',
      values: [streams],
    });
    return new Map(
      rows.map(({ stream, revision, version, state }) => [
        stream,
        { revision: BigInt(revision), version, state: JSON.parse(state) },
      ]),
    );
  };

  return {
    load: async (stream) => (await loadAll([stream])).get(stream) ?? null,
    loadAll,

    async revisions(streams) {
      const { rows } = await pool.query<{ stream: string; revision: string | bigint }>({
        name: 'log-snapshot-revisions',
        text: 'select stream, revision from log.snapshots where stream = any($1)',
        values: [streams],
      });
      return new Map(rows.map(({ stream, revision }) => [stream, BigInt(revision)]));
    },

    async save(stream, { revision, version, state }) {
      const text = stateText(state);
      const before = waiting.get(stream);
      if (before && before.revision > revision) return before.done.promise;
      const done = before?.done ?? Promise.withResolvers<void>();
      waiting.set(stream, { revision, version, state: text, done });
      lane ??= drain();
      return done.promise;
    },
  };
};
