import { type Build, liveBuilds } from './builds.ts';
import { type Parked, parkedIn } from './parked.ts';
import type { Session } from './projection.ts';

export interface ProjectionStatus extends Build {
  /** Events of the log that its rows do not show yet. */
  readonly lag: bigint;
  /** Keys whose rows do not show what the log says, each with the event that could not be taken. */
  readonly parked: readonly Parked[];
}

/** Where every read model stands against `head`, and what it has parked. */
export const projectionStatus = async (session: Session, head: bigint): Promise<ProjectionStatus[]> => {
  const statuses: ProjectionStatus[] = [];
  for (const build of await liveBuilds(session)) {
    statuses.push({
      ...build,
      lag: head > build.position ? head - build.position : 0n,
      parked: build.parkings === 0 ? [] : await parkedIn(session, build),
    });
  }
  return statuses;
};
