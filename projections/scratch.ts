import type { Pool } from 'pg';
import type { EventStore } from '../domain/ports/event-store.ts';
import { readPages, writeSurvivors } from './catch-up.ts';
import type { Parked } from './parked.ts';
import type { Projection, Session, TableNames } from './projection.ts';
import { withSession } from './session.ts';

/** Scratch tables are temporary: seen by one session alone, gone with it, whatever happens to the process. */
const scratchTables: TableNames = (table) => `pg_temp.${table}`;

export interface Scratch {
  readonly session: Session;
  readonly names: TableNames;
  /** Projects the events up to and including `until` into the scratch tables; answers what had to be left out. */
  fill(until: bigint): Promise<Parked[]>;
}

/**
 * Runs `work` with empty scratch tables of `projection`, in one snapshot of the database that is rolled back at the end:
 * what `work` reads is of one instant, and nothing of it remains. `live` names the views that it reads.
 */
export const withScratch = <T>(
  pool: Pool,
  store: Pick<EventStore, 'readAll'>,
  projection: Projection,
  work: (scratch: Scratch) => Promise<T>,
  live: readonly string[] = [],
): Promise<T> =>
  withSession(pool, async (session) => {
    await session.query('begin isolation level repeatable read');
    // Before the snapshot is taken: a swap after it would show tables whose rows the snapshot does not see.
    for (const view of live) await session.query(`lock table ${view} in access share mode`);
    await session.query(projection.ddl(scratchTables));
    const result = await work({
      session,
      names: scratchTables,
      fill: async (until) => {
        const parked: Parked[] = [];
        for await (const { events } of readPages(store, projection.handles, 0n, until)) {
          const skipped = new Set(parked.map(({ key }) => key));
          parked.push(...(await writeSurvivors(session, projection, events, scratchTables, skipped)));
        }
        return parked;
      },
    });
    await session.query('rollback');
    return result;
  });

/** Rows of a table as JSON text, in a fixed order: equal tables give equal texts. */
export const dumpTable = async (session: Session, qualified: string): Promise<string[]> => {
  const { rows } = await session.query<{ row: string }>(
    `select row_to_json(t)::text as row from ${qualified} t order by row_to_json(t)::text collate "C"`,
  );
  return rows.map(({ row }) => row);
};
