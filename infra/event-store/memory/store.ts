import type { RecordedEvent } from '../../../domain/event.ts';
import {
  type AppendResult,
  type DecidedCommand,
  type EventStore,
  NO_STREAM,
} from '../../../domain/ports/event-store.ts';
import { UPCASTERS } from '../../../domain/schema-versions.ts';
import { type Upcasters, upcast } from '../../../domain/upcasters.ts';
import { type AppendRequest, prepareAppend } from '../request.ts';
import { heads, subscription } from '../subscription.ts';
import { createMemoryLog, type MemoryLog, type StoredEvent } from './log.ts';

export interface MemoryEventStoreOptions {
  /** A log of its own when absent. */
  readonly log?: MemoryLog;
  /** The domain's own unless given. */
  readonly upcasters?: Upcasters;
}

/** Every write of the log wakes its subscribers; polling is never needed. */
const POLL_MS = 60_000;

/** The log in this process's memory, for unit tests: the same answers as PostgreSQL's, gone with the process. */
export const createMemoryEventStore = ({
  log = createMemoryLog(),
  upcasters = UPCASTERS,
}: MemoryEventStoreOptions = {}): EventStore => {
  const closing = new AbortController();
  const read = (events: readonly StoredEvent[]) => events.map((event) => upcast(upcasters, recorded(event)));

  const findCommands = (stream: string, commandIds: readonly string[]): DecidedCommand[] =>
    log.findCommands(stream, commandIds).map(({ id, first, last, position }) => ({
      commandId: id,
      events: read(log.stream(stream).slice(Number(first), Number(last) + 1)),
      revision: last,
      position,
    }));

  const append = (request: AppendRequest): AppendResult => {
    if (closing.signal.aborted) throw new Error('the event store is closed');
    const outcome = log.append(request);
    if (outcome.ok || outcome.reason === 'conflict') return outcome;
    const { ok, reason, stream, commandIds } = outcome;
    return { ok, reason, stream, commands: findCommands(stream, commandIds) };
  };

  return {
    append: async (request, origin) => append(prepareAppend([request], origin)),
    appendMany: async (requests, origin) => append(prepareAppend(requests, origin)),
    readStream: async (stream, { from = 0n, to } = {}) =>
      read(log.stream(stream).slice(Number(from), to === undefined ? undefined : Number(to) + 1)),
    readStreams: async (streams, after) =>
      Map.groupBy(
        [...new Set(streams)].flatMap((stream) =>
          read(log.stream(stream).slice(Number((after?.get(stream) ?? NO_STREAM) + 1n))),
        ),
        (event) => event.stream,
      ),
    listStreams: async (prefix, after, limit) =>
      log
        .names()
        .filter((name) => name.startsWith(prefix) && name > after)
        .sort()
        .slice(0, limit),
    findCommands: async (stream, commandIds) => findCommands(stream, commandIds),
    readAll: async ({ after, to, limit, types, stream }) => {
      const found: RecordedEvent[] = [];
      const events = log.events();
      const end = Math.min(events.length, Number(to ?? events.length));
      for (let index = Number(after); index < end && found.length < limit; index++) {
        const [event] = read(events.slice(index, index + 1)) as [RecordedEvent];
        const isOfType = !types || types.includes(event.type);
        if (isOfType && (stream === undefined || event.stream === stream)) found.push(event);
      }
      return found;
    },
    subscribe: (after, signal) =>
      subscription({
        after,
        signal: AbortSignal.any([signal, closing.signal]),
        page: async (cursor, limit) => read(log.events().slice(Number(cursor), Number(cursor) + limit)),
        wakeups: log.wakeups,
        pollMs: POLL_MS,
      }),
    heads: (after, signal) =>
      heads({
        after,
        signal: AbortSignal.any([signal, closing.signal]),
        head: async () => log.head().position,
        wakeups: log.wakeups,
        pollMs: POLL_MS,
      }),
    head: async () => log.head(),
    loadSnapshot: async (stream) => log.loadSnapshot(stream),
    loadSnapshots: async (streams) =>
      new Map(
        streams.flatMap((stream) => {
          const snapshot = log.loadSnapshot(stream);
          return snapshot ? [[stream, snapshot] as const] : [];
        }),
      ),
    snapshotRevisions: async (streams) =>
      new Map(
        streams.flatMap((stream) => {
          const snapshot = log.loadSnapshot(stream);
          return snapshot ? [[stream, snapshot.revision] as const] : [];
        }),
      ),
    saveSnapshot: async (stream, snapshot) => log.saveSnapshot(stream, snapshot),
    close: async () => closing.abort(),
  };
};

const recorded = ({ envelope, position, recordedAt, origin, hash }: StoredEvent): RecordedEvent => {
  const event = JSON.parse(envelope) as Omit<RecordedEvent, 'revision'> & { readonly revision: number };
  return {
    ...event,
    revision: BigInt(event.revision),
    position,
    recordedAt,
    workflowId: origin.workflowId,
    runId: origin.runId,
    hash,
  };
};
