import type { Projection, Session, TableNames } from './projection.ts';

/** One set of tables of a projection. */
export interface Build {
  readonly projection: string;
  readonly build: number;
  /** Version of the fold that fills it. */
  readonly version: number;
  /** Every event up to here is in its rows. */
  readonly position: bigint;
  /** Base names of its tables. */
  readonly tables: readonly string[];
  /** Counts what was parked and released in it. */
  readonly parkings: number;
}

const COLUMNS = 'projection, build, version, position, tables, parkings';

/** Another process swapped or moved the build: what was about to be written is stale. */
export class SupersededError extends Error {
  override readonly name = 'SupersededError';
}

/** Where the tables of one build lie. */
export const buildTables =
  (build: number): TableNames =>
  (table) =>
    `fog.${table}_b${build}`;

/** Runs `work` in a transaction of `session`. */
export const transaction = async <T>(
  session: Session,
  work: () => Promise<T>,
  begin = 'begin',
): Promise<T> => {
  await session.query(begin);
  try {
    const result = await work();
    await session.query('commit');
    return result;
  } catch (error) {
    // A dead session has nothing to roll back; the first error is the one that tells.
    await session.query('rollback').catch(() => undefined);
    throw error;
  }
};

/** The live build, locked against a swap when `lock` is set (inside a transaction). */
export const liveBuild = async (
  session: Session,
  projection: string,
  lock = false,
): Promise<Build | null> => {
  const { rows } = await session.query<Build>(
    `select ${COLUMNS} from fog.builds where projection = $1 and state = 'live'${lock ? ' for update' : ''}`,
    [projection],
  );
  return rows[0] ?? null;
};

/** All live builds. */
export const liveBuilds = async (session: Session): Promise<Build[]> => {
  const { rows } = await session.query<Build>(
    `select ${COLUMNS} from fog.builds where state = 'live' order by projection`,
  );
  return rows;
};

/** Creates the tables of a new, empty build. Call inside a transaction. */
export const createBuild = async (session: Session, projection: Projection): Promise<Build> => {
  const { rows } = await session.query<Build>(
    `insert into fog.builds (projection, build, version, state, tables)
     select $1, coalesce(max(build), 0) + 1, $2, 'building', $3 from fog.builds where projection = $1
     returning ${COLUMNS}`,
    [projection.name, projection.version, projection.tables],
  );
  const build = rows[0] as Build;
  await session.query(projection.ddl(buildTables(build.build)));
  return build;
};

/** Deletes a build and its tables. Call inside a transaction. */
export const dropBuild = async (session: Session, build: Build): Promise<void> => {
  const names = buildTables(build.build);
  for (const table of build.tables) await session.query(`drop table if exists ${names(table)}`);
  await session.query('delete from fog.builds where projection = $1 and build = $2', [
    build.projection,
    build.build,
  ]);
};

/** Deletes builds that a rebuild left behind when it died. Call inside a transaction, with the rebuild lock held. */
export const dropAbandonedBuilds = async (session: Session, projection: string): Promise<void> => {
  const { rows } = await session.query<Build>(
    `select ${COLUMNS} from fog.builds where projection = $1 and state = 'building'`,
    [projection],
  );
  for (const row of rows) await dropBuild(session, row);
};

/** Makes `build` the one that readers see, and deletes `old`, which they saw. Call inside a transaction. */
export const publishBuild = async (session: Session, build: Build, old: Build | null): Promise<void> => {
  for (const table of new Set([...(old?.tables ?? []), ...build.tables])) {
    await session.query(`drop view if exists fog.${table}`);
  }
  const names = buildTables(build.build);
  for (const table of build.tables) {
    await session.query(`create view fog.${table} as select * from ${names(table)}`);
  }
  if (old) await dropBuild(session, old);
  await session.query(
    `update fog.builds set state = 'live', updated_at = now() where projection = $1 and build = $2`,
    [build.projection, build.build],
  );
};

/**
 * Moves the checkpoint, in the transaction of the rows. `parked`: something was parked or released with it.
 * @throws SupersededError when the build is not where, or not what, the caller left it.
 */
export const moveCheckpoint = async (
  session: Session,
  { projection, build, position, parkings }: Build,
  to: bigint,
  parked: boolean,
): Promise<void> => {
  const { rowCount } = await session.query(
    `update fog.builds set position = $5, parkings = parkings + $6, updated_at = now()
      where projection = $1 and build = $2 and position = $3 and parkings = $4`,
    [projection, build, position, parkings, to, parked ? 1 : 0],
  );
  if (rowCount !== 1)
    throw new SupersededError(`build ${build} of ${projection} is no longer as it was at ${position}`);
};
