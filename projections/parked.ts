import type { Build } from './builds.ts';
import type { Session } from './projection.ts';

/** A key whose events a build skips, since one of them could not be taken. Its rows stand as they were before that event. */
export interface Parked {
  readonly key: string;
  readonly stream: string;
  readonly position: bigint;
  readonly type: string;
  readonly error: string;
}

type BuildId = Pick<Build, 'projection' | 'build'>;

const COLUMNS = 'key, stream, position, type, error';

/** What a build has parked, in the order of the events. */
export const parkedIn = async (session: Session, { projection, build }: BuildId): Promise<Parked[]> => {
  const { rows } = await session.query<Parked>(
    `select ${COLUMNS} from fog.parked where projection = $1 and build = $2 order by position`,
    [projection, build],
  );
  return rows;
};

/** Parks keys. Call in the transaction that moves the checkpoint past their events. */
export const park = async (
  session: Session,
  { projection, build }: BuildId,
  parked: readonly Parked[],
): Promise<void> => {
  for (const { key, stream, position, type, error } of parked) {
    await session.query(
      `insert into fog.parked (projection, build, ${COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7)`,
      [projection, build, key, stream, position, type, error],
    );
  }
};

/** Releases a key. */
export const release = async (
  session: Session,
  { projection, build }: BuildId,
  key: string,
): Promise<void> => {
  await session.query('delete from fog.parked where projection = $1 and build = $2 and key = $3', [
    projection,
    build,
    key,
  ]);
};

/** In words, for logs, health and audit. */
export const describeParked = ({ key, type, position, error }: Parked): string =>
  `${key} is parked at ${type} (position ${position}): ${error}`;
