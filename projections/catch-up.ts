import { DatabaseError } from 'pg';
import type { RecordedEvent } from '../domain/event.ts';
import type { EventStore } from '../domain/ports/event-store.ts';
import { shownText, storable } from '../domain/text.ts';
import { type Build, buildTables, moveCheckpoint, transaction } from './builds.ts';
import { type Parked, park, parkedIn } from './parked.ts';
import type { Projection, Session, TableNames } from './projection.ts';

/** Events of one batch: smaller batches pay for round trips, larger ones only for memory. */
const PAGE_SIZE = 1000;
/** Positions that one page looks at, at most: a statement has ten seconds, and a log may have millions of events. */
const SCANNED = 20_000n;

/** An event that the projection cannot take, as opposed to a database that is away for a moment. */
class PoisonError extends Error {
  override readonly name = 'PoisonError';
}

export interface Page {
  /** Handled events, in order. */
  readonly events: readonly RecordedEvent[];
  /** Checkpoint after them. */
  readonly to: bigint;
}

/** The event as tables can carry it. What was stored before the gate stood shows in every build with the same marks. */
export const readable = (event: RecordedEvent): RecordedEvent => {
  const data = storable(event.data);
  return data === event.data ? event : { ...event, data };
};

/**
 * Handled events in (after, until], page by page, the next page being read while the caller works on this one. A page looks
 * at a bounded part of the log, however rare the types are.
 */
export async function* readPages(
  store: Pick<EventStore, 'readAll'>,
  types: readonly string[],
  after: bigint,
  until: bigint,
): AsyncGenerator<Page> {
  const read = async (from: bigint): Promise<Page> => {
    const end = from + SCANNED < until ? from + SCANNED : until;
    const events = (await store.readAll({ after: from, to: end, limit: PAGE_SIZE, types })).map(readable);
    const last = events.at(-1);
    return { events, to: last && events.length === PAGE_SIZE ? last.position : end };
  };
  let next = after < until ? read(after) : null;
  while (next) {
    const page: Page = await next;
    next = page.to < until ? read(page.to) : null;
    // The consumer may stop before it is awaited; whoever awaits it still meets the error.
    next?.catch(() => undefined);
    yield page;
  }
}

/**
 * Errors that follow from the rows, SQLSTATE 22 (data), 23 (integrity) and 54 (limits): everything else, a missing table
 * as well, is the server's state and would meet every event alike.
 */
export const isPoison = (error: unknown): boolean =>
  error instanceof PoisonError || (error instanceof DatabaseError && /^(22|23|54)/.test(error.code ?? ''));

const foldOrPoison = (projection: Projection, events: readonly RecordedEvent[], before: unknown): unknown => {
  try {
    return projection.fold(events, before);
  } catch (error) {
    throw new PoisonError(error instanceof Error ? error.message : String(error), { cause: error });
  }
};

/** Folds events into the tables of `names`. Call inside a transaction. */
export const write = async (
  session: Session,
  projection: Projection,
  events: readonly RecordedEvent[],
  names: TableNames,
): Promise<void> => {
  if (events.length === 0) return;
  const before = await projection.load(session, events, names);
  await projection.apply(session, foldOrPoison(projection, events, before), names);
};

const MESSAGE_LENGTH = 1000;

const parkedAt = (projection: Projection, event: RecordedEvent, error: unknown): Parked => ({
  key: projection.keyOf(event),
  stream: event.stream,
  position: event.position,
  type: event.type,
  error: shownText(error instanceof Error ? error.message : String(error), MESSAGE_LENGTH),
});

/**
 * Folds what can be folded of `events` into the tables of `names`, past the keys in `skipped`: a part that fails is halved
 * until one event is left, and that one's key skipped from there on. Call inside a transaction, which goes on whatever the
 * events are like.
 * @returns what has to be parked now, in the order of the events.
 */
export const writeSurvivors = async (
  session: Session,
  projection: Projection,
  events: readonly RecordedEvent[],
  names: TableNames,
  skipped: ReadonlySet<string>,
): Promise<Parked[]> => {
  const parked: Parked[] = [];
  const keys = new Set(skipped);
  const settle = async (part: readonly RecordedEvent[]): Promise<void> => {
    const fresh = part.filter((event) => !keys.has(projection.keyOf(event)));
    const [first] = fresh;
    if (!first) return;
    await session.query('savepoint part');
    try {
      await write(session, projection, fresh, names);
      await session.query('release savepoint part');
      return;
    } catch (error) {
      if (!isPoison(error)) throw error;
      await session.query('rollback to savepoint part');
      await session.query('release savepoint part');
      if (fresh.length === 1) {
        const found = parkedAt(projection, first, error);
        parked.push(found);
        keys.add(found.key);
        return;
      }
    }
    const middle = Math.ceil(fresh.length / 2);
    await settle(fresh.slice(0, middle));
    await settle(fresh.slice(middle));
  };
  await settle(events);
  return parked;
};

/** Keys that a build skips. */
export const skippedIn = async (session: Session, build: Build): Promise<Set<string>> =>
  new Set(build.parkings === 0 ? [] : (await parkedIn(session, build)).map(({ key }) => key));

/** Writes what can be written of a page, parks what cannot, and moves the checkpoint. Call inside a transaction. */
export const advance = async (
  session: Session,
  projection: Projection,
  build: Build,
  { events, to }: Page,
): Promise<Build> => {
  const skipped = await skippedIn(session, build);
  const parked = await writeSurvivors(session, projection, events, buildTables(build.build), skipped);
  await park(session, build, parked);
  await moveCheckpoint(session, build, to, parked.length > 0);
  return { ...build, position: to, parkings: build.parkings + (parked.length > 0 ? 1 : 0) };
};

/** The same for a page of which everything can be written; costs nothing for the case that something cannot. */
const advanceAll = async (
  session: Session,
  projection: Projection,
  build: Build,
  { events, to }: Page,
  skipped: ReadonlySet<string>,
): Promise<Build> => {
  const fresh = skipped.size === 0 ? events : events.filter((event) => !skipped.has(projection.keyOf(event)));
  await write(session, projection, fresh, buildTables(build.build));
  await moveCheckpoint(session, build, to, false);
  return { ...build, position: to };
};

/**
 * Brings `build` to `until` (or as far as it gets before `signal` aborts), a transaction a page.
 * @returns the build where it stands now. `parkings` tells whether something was parked on the way.
 * @throws when the database fails or another process moved the build; what was committed stays.
 */
export const catchUp = async (
  store: Pick<EventStore, 'readAll'>,
  session: Session,
  projection: Projection,
  from: Build,
  until: bigint,
  signal?: AbortSignal,
): Promise<Build> => {
  let build = from;
  let skipped = await skippedIn(session, build);
  for await (const page of readPages(store, projection.handles, build.position, until)) {
    const before = build;
    try {
      build = await transaction(session, () => advanceAll(session, projection, before, page, skipped));
    } catch (error) {
      if (!isPoison(error)) throw error;
      build = await transaction(session, () => advance(session, projection, before, page));
      skipped = await skippedIn(session, build);
    }
    if (signal?.aborted) break;
  }
  return build;
};
