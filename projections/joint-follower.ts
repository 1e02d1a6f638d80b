import type { Pool } from 'pg';
import type { EventStore } from '../domain/ports/event-store.ts';
import { type Build, buildTables, SupersededError, transaction } from './builds.ts';
import { catchUp, isPoison, type Page, readPages, write } from './catch-up.ts';
import { moveCheckpoints } from './checkpoints.ts';
import type { Feed } from './feed.ts';
import type { Log } from './log.ts';
import type { Projection, Session } from './projection.ts';
import { withSession } from './session.ts';

export interface JointFollowerDeps {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'readAll'>;
  readonly feed: Feed;
  readonly log: Log;
}

/**
 * Follows the log for projections that have caught up: one read, one transaction and one notification for all of them.
 * What one of them cannot take, or a build that was swapped, lets all go; each goes on by itself then, and comes back.
 */
export interface JointFollower {
  /**
   * Keeps `build` up to date, past the keys in `skipped`.
   * @returns where it stands when its projection has to go on by itself.
   */
  follow(projection: Projection, build: Build, skipped: ReadonlySet<string>): Promise<Build>;
  /** Follows the log until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

interface Member {
  readonly projection: Projection;
  readonly handles: ReadonlySet<string>;
  readonly skipped: ReadonlySet<string>;
  readonly leave: (build: Build) => void;
  build: Build;
}

/** Writes a page for every member. Call inside a transaction. */
const writePage = async (
  session: Session,
  members: readonly Member[],
  { events, to }: Page,
): Promise<void> => {
  for (const { projection, handles, skipped, build } of members) {
    const own = events.filter(
      (event) => handles.has(event.type) && !(skipped.size > 0 && skipped.has(projection.keyOf(event))),
    );
    await write(session, projection, own, buildTables(build.build));
  }
  await moveCheckpoints(
    session,
    members.map(({ build }) => build),
    to,
  );
};

export const createJointFollower = ({ pool, store, feed, log }: JointFollowerDeps): JointFollower => {
  let members: Member[] = [];
  /** Who waits to be taken in. */
  let waiting: Member[] = [];
  let arrival = Promise.withResolvers<void>();
  let ended = false;

  const letGo = (leaving: readonly Member[]): void => {
    for (const { leave, build } of leaving) leave(build);
  };

  /** Brings all members, which stand at the same position, to `until`. */
  const advance = async (session: Session, until: bigint, signal: AbortSignal): Promise<void> => {
    const [first] = members;
    if (!first) return;
    const types = [...new Set(members.flatMap(({ projection }) => projection.handles))];
    for await (const page of readPages(store, types, first.build.position, until)) {
      await transaction(session, () => writePage(session, members, page));
      for (const member of members) member.build = { ...member.build, position: page.to };
      if (signal.aborted) return;
    }
  };

  /** Takes in those who wait: whoever is behind, or those here, are brought to where the foremost stands. */
  const takeIn = async (session: Session, newcomers: Member[], signal: AbortSignal): Promise<void> => {
    const positions = [...members, ...newcomers].map(({ build }) => build.position);
    const foremost = positions.reduce((most, position) => (position > most ? position : most), 0n);
    await advance(session, foremost, signal);
    for (let member = newcomers.pop(); member; member = newcomers.pop()) {
      const { projection, build } = member;
      try {
        member.build = await catchUp(store, session, projection, build, foremost);
      } catch (error) {
        member.leave(build);
        throw error;
      }
      // What it parked on the way it has to tell first.
      if (member.build.parkings === build.parkings) members.push(member);
      else member.leave(member.build);
    }
  };

  const followOn = (signal: AbortSignal): Promise<void> =>
    withSession(pool, async (session) => {
      while (!signal.aborted) {
        arrival = Promise.withResolvers();
        const newcomers = waiting;
        waiting = [];
        try {
          if (newcomers.length > 0) await takeIn(session, newcomers, signal);
        } finally {
          letGo(newcomers);
        }
        const [first] = members;
        await Promise.race([arrival.promise, ...(first ? [feed.past(first.build.position)] : [])]);
        if (waiting.length === 0) await advance(session, feed.head(), signal);
      }
    });

  return {
    follow: (projection, build, skipped) => {
      if (ended) return Promise.resolve(build);
      const { promise, resolve: leave } = Promise.withResolvers<Build>();
      waiting.push({ projection, handles: new Set(projection.handles), skipped, leave, build });
      arrival.resolve();
      return promise;
    },
    run: async (signal) => {
      const stop = (): void => arrival.resolve();
      signal.addEventListener('abort', stop);
      while (!signal.aborted) {
        try {
          await followOn(signal);
        } catch (error) {
          // Each of those who are let go meets the cause by itself.
          if (!isPoison(error) && !(error instanceof SupersededError) && !signal.aborted)
            log.warn({ err: error }, 'read models go on one by one');
          const leaving = members;
          members = [];
          letGo(leaving);
          await arrival.promise;
        }
      }
      signal.removeEventListener('abort', stop);
      ended = true;
      letGo([...members, ...waiting]);
    },
  };
};
