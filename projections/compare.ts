import type { Pool } from 'pg';
import type { EventStore } from '../domain/ports/event-store.ts';
import { liveBuild } from './builds.ts';
import { describeParked, type Parked, parkedIn } from './parked.ts';
import type { Projection, Session } from './projection.ts';
import { type Scratch, withScratch } from './scratch.ts';

/** One way in which a read model is not what the log says. */
export interface Difference {
  readonly table: string;
  readonly problem: string;
}

/** Rows shown per table and side: enough to find the cause. */
const SHOWN = 3;

const onlyIn = async (session: Session, one: string, other: string): Promise<string[]> => {
  const { rows } = await session.query<{ row: string }>(
    `select row_to_json(t)::text as row from ${one} t except select row_to_json(t)::text from ${other} t
      order by row limit ${SHOWN}`,
  );
  return rows.map(({ row }) => row);
};

const compareTable = async ({ session, names }: Scratch, table: string): Promise<Difference[]> => {
  const unexplained = await onlyIn(session, `fog.${table}`, names(table));
  const missing = await onlyIn(session, names(table), `fog.${table}`);
  return [
    ...unexplained.map((row) => ({ table, problem: `live, but not from the log: ${row}` })),
    ...missing.map((row) => ({ table, problem: `from the log, but not live: ${row}` })),
  ];
};

/** Every key that is parked is a difference by itself: its rows do not show what the log says. */
const compareParked = (table: string, live: readonly Parked[], rebuilt: readonly Parked[]): Difference[] => {
  const same = (a: Parked) => (b: Parked) => a.key === b.key && a.position === b.position;
  return [
    ...live.map((parked) => ({
      table,
      problem: rebuilt.some(same(parked))
        ? describeParked(parked)
        : `${describeParked(parked)}; a rebuild takes it: retry`,
    })),
    ...rebuilt
      .filter((parked) => !live.some(same(parked)))
      .map((parked) => ({ table, problem: `${describeParked(parked)}: in a rebuild, but not live` })),
  ];
};

/**
 * Rebuilds a read model from the log up to its own checkpoint, in scratch tables, and compares it with what readers see,
 * row by row and byte by byte.
 */
export const compareWithRebuild = (
  pool: Pool,
  store: Pick<EventStore, 'readAll' | 'head'>,
  projection: Projection,
): Promise<Difference[]> => {
  const compare = async (scratch: Scratch): Promise<Difference[]> => {
    const live = await liveBuild(scratch.session, projection.name);
    if (!live) return [{ table: projection.name, problem: 'there is no live build' }];
    const problems: Difference[] = [];
    if (live.version !== projection.version) {
      problems.push({
        table: projection.name,
        problem: `built by version ${live.version}, not ${projection.version}: it is being rebuilt`,
      });
      return problems;
    }
    const { position: head } = await store.head();
    if (live.position > head) {
      problems.push({
        table: projection.name,
        problem: `its checkpoint ${live.position} is past the log, ${head}`,
      });
    }
    problems.push(
      ...compareParked(
        projection.name,
        await parkedIn(scratch.session, live),
        await scratch.fill(live.position),
      ),
    );
    for (const table of projection.tables) problems.push(...(await compareTable(scratch, table)));
    return problems;
  };
  return withScratch(
    pool,
    store,
    projection,
    compare,
    projection.tables.map((table) => `fog.${table}`),
  );
};
