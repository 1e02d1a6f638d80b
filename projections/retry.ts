import type { Pool } from 'pg';
import type { RecordedEvent } from '../domain/event.ts';
import type { EventStore } from '../domain/ports/event-store.ts';
import { type Build, buildTables, liveBuild, moveCheckpoint, transaction } from './builds.ts';
import { readable, writeSurvivors } from './catch-up.ts';
import { type Parked, park, parkedIn, release } from './parked.ts';
import type { Projection, Session } from './projection.ts';
import { rebuild } from './rebuild.ts';
import { withSession } from './session.ts';

export interface Retried {
  readonly key: string;
  /** What still keeps it parked; null when it shows again what the log says. */
  readonly parked: Parked | null;
}

type Store = Pick<EventStore, 'readStream'>;

const eventsOf = async (
  store: Store,
  projection: Projection,
  { stream, key }: Parked,
  until: bigint,
): Promise<RecordedEvent[]> =>
  (await store.readStream(stream))
    .filter(({ type, position }) => projection.handles.includes(type) && position <= until)
    .map(readable)
    .filter((event) => projection.keyOf(event) === key);

/** Tells the events of one key anew, by themselves. Call inside a transaction that holds the build. */
const retryKey = async (
  session: Session,
  store: Store,
  projection: Projection,
  build: Build,
  parked: Parked,
): Promise<Retried> => {
  const { key } = parked;
  const names = buildTables(build.build);
  await release(session, build, key);
  await projection.forget?.(session, key, names);
  const events = await eventsOf(store, projection, parked, build.position);
  const again = await writeSurvivors(session, projection, events, names, new Set());
  await park(session, build, again);
  return { key, parked: again[0] ?? null };
};

const chosen = (projection: Projection, parked: readonly Parked[], keys: readonly string[]): Parked[] => {
  const unknown = keys.find((key) => !parked.some((each) => each.key === key));
  if (unknown !== undefined) throw new RangeError(`${projection.name} has not parked ${unknown}`);
  return parked.filter(({ key }) => keys.length === 0 || keys.includes(key));
};

/**
 * The operator's word that parked keys may be tried again, after a repair of code or log: their events are told anew, up
 * to the checkpoint, in the live build while others read and the follower waits. Where events of different keys add up in
 * the same rows, the whole model is built anew instead.
 * @param keys all that are parked, unless some are named.
 * @throws RangeError on a key that is not parked; Error when the build is of another version, for that one is rebuilt.
 */
export const retryParked = async (
  pool: Pool,
  store: EventStore,
  projection: Projection,
  keys: readonly string[] = [],
): Promise<Retried[]> => {
  const wanted = await withSession(pool, async (session) => {
    const live = await liveBuild(session, projection.name);
    return live ? chosen(projection, await parkedIn(session, live), keys) : [];
  });
  if (wanted.length === 0) return [];
  if (!projection.forget) {
    const build = await rebuild(pool, store, projection);
    const left = await withSession(pool, (session) => parkedIn(session, build));
    return wanted.map(({ key }) => ({ key, parked: left.find((parked) => parked.key === key) ?? null }));
  }
  return withSession(pool, (session) =>
    transaction(session, async () => {
      const build = await liveBuild(session, projection.name, true);
      if (build?.version !== projection.version)
        throw new Error(`${projection.name} is live in version ${build?.version}, not ${projection.version}`);
      const retried: Retried[] = [];
      for (const parked of await parkedIn(session, build)) {
        if (wanted.some(({ key }) => key === parked.key))
          retried.push(await retryKey(session, store, projection, build, parked));
      }
      await moveCheckpoint(session, build, build.position, true);
      return retried;
    }),
  );
};
