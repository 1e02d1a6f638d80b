import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError, type Pool } from 'pg';
import type { EventStore } from '../domain/ports/event-store.ts';
import {
  type Build,
  createBuild,
  dropAbandonedBuilds,
  liveBuild,
  publishBuild,
  transaction,
} from './builds.ts';
import { advance, catchUp, readPages } from './catch-up.ts';
import type { Projection, Session } from './projection.ts';
import { tryLock, withSession } from './session.ts';

/** Most events that the swap may still have to read, while the old build waits for it. */
const LAST_STRETCH = 500n;

const LOCK_NOT_AVAILABLE = '55P03';
const LOCK_TIMEOUT_MS = 250;
const LOCK_RETRY_MS = 500;

/** Makes sure that there is something to read: an empty live build where there was none. */
export const ensureLive = (session: Session, projection: Projection): Promise<Build> =>
  transaction(session, async () => {
    await session.query(`select pg_advisory_xact_lock(hashtext('fog'), hashtext($1))`, [
      `create:${projection.name}`,
    ]);
    const live = await liveBuild(session, projection.name);
    if (live) return live;
    const build = await createBuild(session, projection);
    await publishBuild(session, build, null);
    return build;
  });

/** Last stretch and swap in one transaction; the follower of the old build waits at its row meanwhile. */
const swap = (store: EventStore, session: Session, projection: Projection, from: Build): Promise<Build> =>
  transaction(session, async () => {
    await session.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    const old = await liveBuild(session, projection.name, true);
    let build = from;
    if (old) {
      for await (const page of readPages(store, projection.handles, build.position, old.position)) {
        build = await advance(session, projection, build, page);
      }
    }
    await publishBuild(session, build, old);
    return build;
  });

/** A reader that keeps its transaction open delays the swap; the swap in turn must not make other readers wait for long. */
const swapWhenFree = async (
  store: EventStore,
  session: Session,
  projection: Projection,
  build: Build,
  signal: AbortSignal | undefined,
): Promise<Build> => {
  for (;;) {
    try {
      return await swap(store, session, projection, build);
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.code !== LOCK_NOT_AVAILABLE) throw error;
      await sleep(LOCK_RETRY_MS, undefined, signal && { signal });
    }
  }
};

/**
 * Builds a projection anew beside the live build, which readers go on using, and swaps when it has caught up.
 * What cannot be taken is parked in it, as in the live one.
 * @throws Error when a rebuild of it already runs somewhere.
 */
export const rebuild = (
  pool: Pool,
  store: EventStore,
  projection: Projection,
  signal?: AbortSignal,
): Promise<Build> =>
  withSession(pool, async (session) => {
    if (!(await tryLock(session, `rebuild:${projection.name}`))) {
      throw new Error(`${projection.name} is being rebuilt already`);
    }
    let build = await transaction(session, async () => {
      await dropAbandonedBuilds(session, projection.name);
      return createBuild(session, projection);
    });
    let head = (await store.head()).position;
    do {
      build = await catchUp(store, session, projection, build, head, signal);
      signal?.throwIfAborted();
      head = (await store.head()).position;
    } while (head - build.position > LAST_STRETCH);
    return swapWhenFree(store, session, projection, build, signal);
  });
