import { LRUCache } from 'lru-cache';
import { type DomainEvent, domainEventOf, type RecordedEvent } from '../../domain/event.ts';
import { type AnyFold, anyFold, type Fold, foldOver } from '../../domain/fold.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { foldOf, type StreamState, streamStateOf } from '../../domain/registry.ts';

/** What folds are read from, and their snapshots kept in. */
export type FoldSource = Pick<EventStore, 'readStream' | 'readStreams' | 'loadSnapshots' | 'saveSnapshot'>;

/** A stream's state, shared with everybody who asked: nobody changes it. */
export interface Folded<State> {
  readonly state: State;
  /** Of the last event that was folded; -1 for an empty stream. */
  readonly revision: bigint;
  /** The same in the log; 0 for an empty stream. */
  readonly position: bigint;
}

export interface Folds {
  /** The state of a stream as the log has it now. */
  latest<State, Event extends DomainEvent>(fold: Fold<State, Event>, stream: string): Promise<Folded<State>>;
  /** The same for several at once; those without an event are absent. */
  latestOf<State, Event extends DomainEvent>(
    fold: Fold<State, Event>,
    streams: readonly string[],
  ): Promise<ReadonlyMap<string, Folded<State>>>;
  /** The state as it was at `revision`. */
  at<State, Event extends DomainEvent>(
    fold: Fold<State, Event>,
    stream: string,
    revision: bigint,
  ): Promise<State>;
  /** The state of any stream now, by the fold or the machine version that it has; null for an empty one. */
  stream(stream: string): Promise<StreamState | null>;
}

/** Characters of all states that are kept, as JSON. */
const MAX_SIZE = 32 * 2 ** 20;
/** What a state costs beside its text. */
const LEAST_SIZE = 2_000;
/** Events between two measurements of a state, at most. */
const MEASURED_EVERY = 64n;
/** Events between two snapshots of a stream. */
const SNAPSHOT_EVERY = 500n;
/** Streams of one read. */
const AT_ONCE = 128;

/** Where a fold goes on from. */
interface Base {
  readonly state: unknown;
  readonly revision: bigint;
  /** Chain hash of the log at `revision`; null where only the snapshot knows of it. */
  readonly hash: string | null;
  /** Revision of the newest snapshot that is known of; -1 for none. */
  readonly savedAt: bigint;
}

/** What a stream has come to, as the log tells. */
interface Known extends Base {
  readonly hash: string;
  readonly position: bigint;
}

interface Kept extends Known {
  readonly fold: AnyFold;
  readonly size: number;
  readonly measuredAt: bigint;
}

/** A decider is the fold that it is made of, too. */
const isSame = (one: AnyFold, other: AnyFold): boolean => one.evolve === other.evolve;

/**
 * Whether the log still holds what `base` was folded from. Events before it are never read again, so it is told by the
 * event at its revision: a chain hash covers the whole log before it. It differs where a database was put back.
 */
const stands = ({ revision, hash }: Base, [first]: readonly RecordedEvent[]): boolean =>
  first?.revision === revision && (hash === null || hash === first.hash);

const sizeOf = (state: unknown): number => LEAST_SIZE + (JSON.stringify(state)?.length ?? 0);

/**
 * States of streams in this process, each brought up to date by the events after its revision: a read costs by what is
 * new, not by what has ever happened. A kept state is one of the log's own past, so it may be old and is never wrong;
 * what was decided on an old one, the append refuses. Streams whose fold says so have snapshots, too, for a process that
 * has just begun.
 */
const createFolds = (store: FoldSource): Folds => {
  const cache = new LRUCache<string, Kept>({ maxSize: MAX_SIZE, sizeCalculation: ({ size }) => size });

  const snapshotsOf = async (fold: AnyFold, streams: readonly string[]): Promise<[string, Base][]> => {
    if (fold.snapshotVersion === undefined || streams.length === 0) return [];
    const snapshots = [...(await store.loadSnapshots(streams))];
    return snapshots
      .filter(([, { version }]) => version === fold.snapshotVersion)
      .map(([stream, { state, revision }]) => [stream, { state, revision, hash: null, savedAt: revision }]);
  };

  const basesOf = async (fold: AnyFold, streams: readonly string[]): Promise<Map<string, Base>> => {
    const bases = new Map<string, Base>();
    for (const stream of streams) {
      const kept = cache.get(stream);
      if (kept && isSame(kept.fold, fold)) bases.set(stream, kept);
    }
    const cold = streams.filter((stream) => !bases.has(stream));
    for (const [stream, base] of await snapshotsOf(fold, cold)) bases.set(stream, base);
    return bases;
  };

  const saved = async (stream: string, version: number, { state, revision }: Base): Promise<bigint> => {
    await store.saveSnapshot(stream, { revision, version, state });
    return revision;
  };

  /** Keeps the state behind `events`, the first of which is the base's own, unless a newer one was kept meanwhile. */
  const keep = async (
    fold: AnyFold,
    stream: string,
    base: Base | undefined,
    events: readonly RecordedEvent[],
  ): Promise<Known | null> => {
    const last = events.at(-1);
    if (!last) return null;
    const { revision, hash, position } = last;
    const state = base
      ? foldedBy(fold, base.state, events.slice(1))
      : foldedBy(fold, fold.initialState, events);
    const next = { state, revision, hash, position, savedAt: base?.savedAt ?? NO_STREAM };
    const version = fold.snapshotVersion;
    const isDue = version !== undefined && revision - next.savedAt >= SNAPSHOT_EVERY;
    const savedAt = isDue ? await saved(stream, version, next) : next.savedAt;
    const before = cache.peek(stream);
    const known = before && isSame(before.fold, fold) ? before : null;
    if (!known || known.revision < revision) {
      const measured =
        known && revision - known.measuredAt < MEASURED_EVERY
          ? { size: known.size, measuredAt: known.measuredAt }
          : { size: sizeOf(state), measuredAt: revision };
      cache.set(stream, { ...next, ...measured, savedAt, fold });
    }
    return next;
  };

  const latestOfSome = async (fold: AnyFold, streams: readonly string[]): Promise<[string, Known][]> => {
    const bases = await basesOf(fold, streams);
    const before = new Map([...bases].map(([stream, { revision }]) => [stream, revision - 1n]));
    const read = await store.readStreams(streams, before);
    const strays = streams.filter((stream) => {
      const base = bases.get(stream);
      return base && !stands(base, read.get(stream) ?? []);
    });
    for (const stream of strays) {
      bases.delete(stream);
      cache.delete(stream);
    }
    const whole = strays.length > 0 ? await store.readStreams(strays) : new Map<string, RecordedEvent[]>();
    const kept = streams.map(async (stream): Promise<[string, Known][]> => {
      const events = whole.get(stream) ?? (strays.includes(stream) ? [] : (read.get(stream) ?? []));
      const known = await keep(fold, stream, bases.get(stream), events);
      return known ? [[stream, known]] : [];
    });
    return (await Promise.all(kept)).flat();
  };

  const latestOf: Folds['latestOf'] = async <State, Event extends DomainEvent>(
    fold: Fold<State, Event>,
    streams: readonly string[],
  ) => {
    const names = [...new Set(streams)];
    const found = new Map<string, Folded<State>>();
    for (let start = 0; start < names.length; start += AT_ONCE) {
      const some = await latestOfSome(anyFold(fold), names.slice(start, start + AT_ONCE));
      for (const [stream, { state, revision, position }] of some)
        found.set(stream, { state: state as State, revision, position });
    }
    return found;
  };

  const latest: Folds['latest'] = async (fold, stream) =>
    (await latestOf(fold, [stream])).get(stream) ?? {
      state: fold.initialState,
      revision: NO_STREAM,
      position: 0n,
    };

  return {
    latest,
    latestOf,

    at: async <State, Event extends DomainEvent>(
      fold: Fold<State, Event>,
      stream: string,
      revision: bigint,
    ) => {
      const known = (await basesOf(anyFold(fold), [stream])).get(stream);
      const base = known && known.revision <= revision ? known : undefined;
      const events = await store.readStream(stream, { from: base?.revision ?? 0n, to: revision });
      if (base && stands(base, events)) return foldedBy(fold, base.state as State, events.slice(1));
      const whole = base ? await store.readStream(stream, { to: revision }) : events;
      return foldedBy(fold, fold.initialState, whole);
    },

    stream: async (stream) => {
      const fold = foldOf(stream);
      const folded = (await latestOf(fold, [stream])).get(stream);
      return folded ? streamStateOf(stream, folded.state, Number(folded.revision)) : null;
    },
  };
};

const foldedBy = <State, Event extends DomainEvent>(
  fold: Fold<State, Event>,
  before: State,
  events: readonly RecordedEvent[],
): State =>
  foldOver(
    fold,
    before,
    events.map((event) => domainEventOf<Event>(event)),
  );

const known = new WeakMap<FoldSource, Folds>();

/** The folds of a store: one cache for all that read through it, which lasts as long as the store. */
export const foldsOf = (store: FoldSource): Folds => {
  const folds = known.get(store) ?? createFolds(store);
  known.set(store, folds);
  return folds;
};
