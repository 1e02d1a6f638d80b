import type { Pool } from 'pg';
import type { EventStore } from '../domain/ports/event-store.ts';
import { type Build, SupersededError } from './builds.ts';
import { catchUp, skippedIn } from './catch-up.ts';
import { announce } from './checkpoints.ts';

import { createFeed, type Feed } from './feed.ts';
import { createJointFollower, type JointFollower } from './joint-follower.ts';
import type { Log } from './log.ts';
import { describeParked, parkedIn } from './parked.ts';
import type { Projection, Session } from './projection.ts';
import { ensureLive, rebuild } from './rebuild.ts';
import { pause, tryLock, withSession } from './session.ts';

export interface RunnerDeps {
  /** Holds one connection per projection for as long as it runs, one for all together, and one more during a rebuild. */
  readonly pool: Pool;
  readonly store: EventStore;
  readonly log: Log;
}

export interface Runner {
  /** Keeps all projections up to date until `signal` aborts; one that fails does not hold up the others. */
  run(projections: readonly Projection[], signal: AbortSignal): Promise<void>;
  /** Brings one projection to the newest event, once. Waits for nobody: throws when another process leads it. */
  catchUp(projection: Projection): Promise<Build>;
  /** Builds one projection anew beside the live build and swaps. */
  rebuild(projection: Projection, signal?: AbortSignal): Promise<Build>;
}

interface Following {
  readonly feed: Feed;
  readonly joint: JointFollower;
}

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;
/** How often a projection that may not go on looks whether it may. */
const STANDBY_MS = 500;

const leaderLock = (projection: Projection): string => `lead:${projection.name}`;

export const createRunner = ({ pool, store, log }: RunnerDeps): Runner => {
  /** Tells once what a build has parked, as operators want to know. */
  const tellParked = async (session: Session, build: Build): Promise<void> => {
    for (const parked of await parkedIn(session, build))
      log.error({ projection: build.projection }, `${describeParked(parked)}; waits for an operator`);
  };

  /** Follows the live build until it is swapped (returns) or the database fails (throws). */
  const followBuild = async (
    session: Session,
    projection: Projection,
    from: Build,
    { feed, joint }: Following,
    signal: AbortSignal,
    progressed: () => void,
  ): Promise<void> => {
    let build = from;
    let told = 0;
    while (!signal.aborted) {
      build = await catchUp(store, session, projection, build, feed.head(), signal);
      await announce(session, [projection.name], build.position);
      progressed();
      if (build.parkings > told) await tellParked(session, build);
      told = build.parkings;
      build = await joint.follow(projection, build, await skippedIn(session, build));
    }
  };

  /** Leads one projection, or stands by while another process does. */
  const follow = (
    projection: Projection,
    following: Following,
    signal: AbortSignal,
    progressed: () => void,
  ): Promise<void> =>
    withSession(pool, async (session) => {
      while (!(await tryLock(session, leaderLock(projection)))) {
        await pause(STANDBY_MS, signal);
        if (signal.aborted) return;
      }
      let said: string | null = null;
      while (!signal.aborted) {
        const live = await ensureLive(session, projection);
        const obstacle = obstacleOf(projection, live);
        if (obstacle) {
          if (obstacle !== said) log.error({ projection: projection.name }, obstacle);
          said = obstacle;
          await pause(STANDBY_MS, signal);
        } else if (live.version < projection.version) {
          const { name, version } = projection;
          log.info({ projection: name, from: live.version, to: version }, 'building a new version');
          await rebuild(pool, store, projection, signal);
        } else {
          await followBuild(session, projection, live, following, signal, progressed).catch(
            (error: unknown) => {
              if (!(error instanceof SupersededError)) throw error;
            },
          );
        }
      }
    });

  const supervise = async (
    projection: Projection,
    following: Following,
    signal: AbortSignal,
  ): Promise<void> => {
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      try {
        await follow(projection, following, signal, () => {
          retryMs = FIRST_RETRY_MS;
        });
      } catch (error) {
        if (signal.aborted) return;
        log.warn(
          { projection: projection.name, err: error, retryMs },
          'projection interrupted; it will go on',
        );
        await pause(retryMs, signal);
        retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
      }
    }
  };

  return {
    run: async (projections, signal) => {
      const feed = createFeed(store, log);
      const joint = createJointFollower({ pool, store, feed, log });
      await Promise.all([
        feed.run(signal),
        joint.run(signal),
        ...projections.map((projection) => supervise(projection, { feed, joint }, signal)),
      ]);
    },
    catchUp: (projection) =>
      withSession(pool, async (session) => {
        if (!(await tryLock(session, leaderLock(projection)))) {
          throw new Error(`${projection.name} is led by another process`);
        }
        const live = await ensureLive(session, projection);
        const { position } = await store.head();
        const build = await catchUp(store, session, projection, live, position);
        await announce(session, [projection.name], build.position);
        return build;
      }),
    rebuild: (projection, signal) => rebuild(pool, store, projection, signal),
  };
};

/** Why the projection may not go on, in words for the log; null when it may. */
const obstacleOf = (projection: Projection, { version }: Build): string | null =>
  version > projection.version
    ? `the live build has version ${version}, this process version ${projection.version}: stands by`
    : null;

/** Creates the empty live builds of a new database, so that readers find their tables before the first event. */
export const prepareReadModels = (pool: Pool, projections: readonly Projection[]): Promise<void> =>
  withSession(pool, async (session) => {
    for (const projection of projections) await ensureLive(session, projection);
  });
