import { type Build, liveBuilds } from './builds.ts';
import type { Session } from './projection.ts';

export interface ProjectionStatus extends Build {
  /** Events of the log that its rows do not show yet. */
  readonly lag: bigint;
}

/** Where every read model stands against `head`, and which event stopped it. */
export const projectionStatus = async (session: Session, head: bigint): Promise<ProjectionStatus[]> =>
  (await liveBuilds(session)).map((build) => ({
    ...build,
    lag: head > build.position ? head - build.position : 0n,
  }));

/**
 * The operator's word that a stopped projection may try its event again (after a repair of code or data).
 * @returns false when it was not stopped.
 */
export const resumeProjection = async (session: Session, projection: string): Promise<boolean> => {
  const { rowCount } = await session.query(
    `update fog.builds
        set failed_position = null, failed_type = null, failed_error = null, failed_version = null, updated_at = now()
      where projection = $1 and failed_position is not null`,
    [projection],
  );
  return (rowCount ?? 0) > 0;
};
