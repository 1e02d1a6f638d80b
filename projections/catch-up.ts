import { DatabaseError } from 'pg';
import type { RecordedEvent } from '../domain/event.ts';
import type { EventStore } from '../domain/ports/event-store.ts';
import { type Build, buildTables, moveCheckpoint, recordFailure, transaction } from './builds.ts';
import type { Projection, Session, TableNames } from './projection.ts';

/** Events of one batch: smaller batches pay for round trips, larger ones only for memory. */
const PAGE_SIZE = 1000;

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

/** Handled events in (after, until], page by page, the next page being read while the caller works on this one. */
export async function* readPages(
  store: Pick<EventStore, 'readAll'>,
  types: readonly string[],
  after: bigint,
  until: bigint,
): AsyncGenerator<Page> {
  const read = (from: bigint) => store.readAll({ after: from, limit: PAGE_SIZE, types });
  let next: Promise<readonly RecordedEvent[]> | null = after < until ? read(after) : null;
  while (next) {
    const events: readonly RecordedEvent[] = await next;
    const last = events.at(-1)?.position ?? until;
    const more = events.length === PAGE_SIZE && last < until;
    next = more ? read(last) : null;
    // The consumer may stop before it is awaited; whoever awaits it still meets the error.
    next?.catch(() => undefined);
    yield more
      ? { events, to: last }
      : { events: last > until ? events.filter((event) => event.position <= until) : events, to: until };
  }
}

/** Data, integrity and syntax errors follow from the rows; everything else from the server's state. */
const isPoison = (error: unknown): boolean =>
  error instanceof PoisonError || (error instanceof DatabaseError && /^(22|23|42)/.test(error.code ?? ''));

/** Folds one batch into the tables of `names`. Call inside a transaction. */
export const writeBatch = async (
  session: Session,
  projection: Projection,
  events: readonly RecordedEvent[],
  names: TableNames,
): Promise<void> => {
  if (events.length === 0) return;
  const before = await projection.load(session, events, names);
  await projection.apply(session, foldOrPoison(projection, events, before), names);
};

const foldOrPoison = (projection: Projection, events: readonly RecordedEvent[], before: unknown): unknown => {
  try {
    return projection.fold(events, before);
  } catch (error) {
    throw new PoisonError(error instanceof Error ? error.message : String(error), { cause: error });
  }
};

/** Writes one batch and its checkpoint. Call inside a transaction. */
export const advance = async (
  session: Session,
  projection: Projection,
  build: Build,
  { events, to }: Page,
): Promise<Build> => {
  await writeBatch(session, projection, events, buildTables(build.build));
  await moveCheckpoint(session, build, to);
  return { ...build, position: to };
};

/** Goes through a batch that failed event by event: what comes before the poison is kept, the poison is recorded. */
const isolate = async (session: Session, projection: Projection, from: Build, page: Page): Promise<Build> => {
  let build = from;
  for (const event of page.events) {
    try {
      build = await transaction(session, () =>
        advance(session, projection, build, { events: [event], to: event.position }),
      );
    } catch (error) {
      if (!isPoison(error)) throw error;
      const failure = {
        position: event.position,
        type: event.type,
        error: error instanceof Error ? error.message : String(error),
        version: projection.version,
      };
      await recordFailure(session, build, failure);
      return { ...build, failure };
    }
  }
  return page.to > build.position
    ? transaction(session, () => advance(session, projection, build, { events: [], to: page.to }))
    : build;
};

/**
 * Brings `build` to `until` (or as far as it gets before `signal` aborts), a transaction a page.
 * @returns the build where it stands now; with `failure` set when an event stopped it.
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
  for await (const page of readPages(store, projection.handles, build.position, until)) {
    try {
      build = await transaction(session, () => advance(session, projection, build, page));
    } catch (error) {
      if (!isPoison(error)) throw error;
      build = await isolate(session, projection, build, page);
    }
    if (build.failure || signal?.aborted) break;
  }
  return build;
};
