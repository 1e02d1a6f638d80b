import type { NewEvent, Origin, RecordedEvent } from '../event.ts';

/** Revision of a stream that holds no event yet. */
export const NO_STREAM = -1n;

/** Events for one stream, to be placed right after `expectedRevision` (`NO_STREAM` for a new stream). */
export interface StreamAppend {
  readonly stream: string;
  readonly expectedRevision: bigint;
  readonly events: readonly NewEvent[];
  /**
   * The event that has to stand at `expectedRevision`; whatever stands there when absent. For a writer that does not wait
   * for its own appends: what it decided behind one that failed must not follow another's that took its place.
   */
  readonly previous?: NewEvent;
  /**
   * Commands that these events answer: each is the `causationId` of one or more of them, side by side. A stream decides
   * a command once; it refuses the append when it knows one of them already.
   */
  readonly commands?: readonly string[];
}

/** What a command came to on a stream, at the first and only time it was decided. */
export interface DecidedCommand {
  readonly commandId: string;
  /** The events it caused on this stream. */
  readonly events: readonly RecordedEvent[];
  /** Revision of the last of them. */
  readonly revision: bigint;
  /** Position of the last event of the step that wrote them, money included. */
  readonly position: bigint;
}

export interface Appended {
  readonly ok: true;
  /** Position of the last event of the request. */
  readonly position: bigint;
  /** True when the very same events already stood there: the first result is returned, nothing was written. */
  readonly replayed: boolean;
}

/**
 * Another writer was first and wrote something else. `actualRevision` is the stream's revision now: the expected one where
 * another event than `previous` stands there.
 */
export interface AppendConflict {
  readonly ok: false;
  readonly reason: 'conflict';
  readonly stream: string;
  readonly expectedRevision: bigint;
  readonly actualRevision: bigint;
}

/** The stream had decided these commands before. Nothing was written: the answers are the first ones. */
export interface AlreadyDecided {
  readonly ok: false;
  readonly reason: 'decided';
  readonly stream: string;
  readonly commands: readonly DecidedCommand[];
}

export type AppendResult = Appended | AppendConflict | AlreadyDecided;

export interface ReadStreamOptions {
  /** First revision, inclusive; default 0. */
  readonly from?: bigint;
  /** Last revision, inclusive; default the end. */
  readonly to?: bigint;
}

export interface ReadAllOptions {
  /** Exclusive: events after this position. */
  readonly after: bigint;
  /** Last position that is looked at, inclusive; the end when absent. It bounds the work where types are rare. */
  readonly to?: bigint;
  readonly limit: number;
  /** Exact event types; all when absent. */
  readonly types?: readonly string[];
  /** One stream only. */
  readonly stream?: string;
}

export interface Head {
  /** Position of the newest event; 0 for an empty log. */
  readonly position: bigint;
  /** Hex chain hash at that position; 64 zeros for an empty log. */
  readonly hash: string;
}

/** State of a stream at a revision, kept to shorten folds and to hold what a closed workflow ended with. */
export interface Snapshot {
  readonly revision: bigint;
  readonly version: number;
  readonly state: unknown;
}

/**
 * The one log. Position order is commit order, without gaps; streams are ordered within it.
 * Infrastructure failures reject; conflicts are values. Adapters pass `test/contract/event-store.ts`.
 */
export interface EventStore {
  /** Appends to one stream. The same events at the same revision are a no-op that returns the first result. */
  append(request: StreamAppend, origin?: Origin): Promise<AppendResult>;
  /** Appends to several streams in one atomic step: all or nothing. Streams are distinct within one call. */
  appendMany(requests: readonly StreamAppend[], origin?: Origin): Promise<AppendResult>;
  /** Events of a stream in revision order, upcast to the current schema versions; empty for an unknown stream. */
  readStream(stream: string, options?: ReadStreamOptions): Promise<RecordedEvent[]>;
  /**
   * The same for several streams at once, each behind its revision in `after`, or whole where it has none there; one without
   * such an event is absent from the answer. Costs by what it returns, however many streams and other events there are.
   */
  readStreams(
    streams: readonly string[],
    after?: ReadonlyMap<string, bigint>,
  ): Promise<ReadonlyMap<string, readonly RecordedEvent[]>>;
  /** Names of streams that begin with `prefix`, by name, behind `after`: `limit` at most. Costs by what it returns. */
  listStreams(prefix: string, after: string, limit: number): Promise<readonly string[]>;
  /** What a stream has decided of these commands; those it never heard of are absent. */
  findCommands(stream: string, commandIds: readonly string[]): Promise<readonly DecidedCommand[]>;
  /** One page of the log in position order. */
  readAll(options: ReadAllOptions): Promise<RecordedEvent[]>;
  /** Batches after `after`, in order, without gap or duplicate, catching up first and then live, until aborted. */
  subscribe(after: bigint, signal: AbortSignal): AsyncIterable<readonly RecordedEvent[]>;
  /** Positions that the log has grown to, past `after` and rising, until aborted: the first one at once if it is past it. */
  heads(after: bigint, signal: AbortSignal): AsyncIterable<bigint>;
  head(): Promise<Head>;
  loadSnapshot(stream: string): Promise<Snapshot | null>;
  /** The same for several streams at once; those without one are absent. */
  loadSnapshots(streams: readonly string[]): Promise<ReadonlyMap<string, Snapshot>>;
  /** Revisions of the snapshots of these streams; those without one are absent. */
  snapshotRevisions(streams: readonly string[]): Promise<ReadonlyMap<string, bigint>>;
  saveSnapshot(stream: string, snapshot: Snapshot): Promise<void>;
  close(): Promise<void>;
}
