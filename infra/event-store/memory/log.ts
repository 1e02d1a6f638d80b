import type { Origin } from '../../../domain/event.ts';
import {
  type AppendConflict,
  type Appended,
  type Head,
  NO_STREAM,
  type Snapshot,
} from '../../../domain/ports/event-store.ts';
import { EMPTY_HEAD } from '../chain.ts';
import { chainHash, leafOfEnvelope } from '../hash.ts';
import type { AppendRequest, Part, PartCommand } from '../request.ts';
import { stateText } from '../state-text.ts';
import { createWakeups, type Wakeups } from '../wakeups.ts';

/** An event as text, like a row of the log's table. */
export interface StoredEvent {
  readonly envelope: string;
  readonly position: bigint;
  readonly recordedAt: string;
  readonly origin: Origin;
  readonly hash: string;
}

/** A command that was decided, where its events stand and how far its step went. */
export interface DecidedRange extends PartCommand {
  readonly position: bigint;
}

export type AppendOutcome =
  | Appended
  | AppendConflict
  | {
      readonly ok: false;
      readonly reason: 'decided';
      readonly stream: string;
      readonly commandIds: readonly string[];
    };

/** What a log holds. Several stores may share one, as processes share a database. */
export interface MemoryLog {
  readonly wakeups: Wakeups;
  append(request: AppendRequest): AppendOutcome;
  /** What `stream` has decided of these commands. */
  findCommands(stream: string, commandIds: readonly string[]): readonly DecidedRange[];
  /** Index = position − 1. */
  events(): readonly StoredEvent[];
  /** Index = revision. */
  stream(stream: string): readonly StoredEvent[];
  names(): string[];
  head(): Head;
  loadSnapshot(stream: string): Snapshot | null;
  saveSnapshot(stream: string, snapshot: Snapshot): void;
}

export interface MemoryLogOptions {
  /** RFC 3339 record time; the process clock when absent. */
  readonly now?: () => string;
}

export const createMemoryLog = ({
  now = () => new Date().toISOString(),
}: MemoryLogOptions = {}): MemoryLog => {
  const events: StoredEvent[] = [];
  const streams = new Map<string, StoredEvent[]>();
  const commands = new Map<string, Map<string, DecidedRange>>();
  const snapshots = new Map<string, Omit<Snapshot, 'state'> & { readonly state: string }>();
  const wakeups = createWakeups();

  const head = (): Head => events.at(-1) ?? EMPTY_HEAD;

  const revisionOf = (stream: string): bigint => BigInt(streams.get(stream)?.length ?? 0) + NO_STREAM;

  const storedOf = ({ stream, expected, envelopes }: Part): StoredEvent[] => {
    const from = Number(expected - NO_STREAM);
    return (streams.get(stream) ?? []).slice(from, from + envelopes.length);
  };

  const isStored = (part: Part): boolean => {
    const stored = storedOf(part);
    return part.envelopes.every((envelope, index) => stored[index]?.envelope === envelope);
  };

  const conflictOf = ({ stream, expected, previous }: Part): AppendConflict | null => {
    const actual = revisionOf(stream);
    const isBehindPrevious =
      previous === undefined || streams.get(stream)?.[Number(expected)]?.envelope === previous;
    return actual === expected && isBehindPrevious
      ? null
      : { ok: false, reason: 'conflict', stream, expectedRevision: expected, actualRevision: actual };
  };

  const findCommands = (stream: string, ids: readonly string[]): DecidedRange[] =>
    ids.flatMap((id) => commands.get(stream)?.get(id) ?? []);

  const decidedOf = ({ parts }: AppendRequest): Extract<AppendOutcome, { reason: 'decided' }> | null => {
    for (const part of parts) {
      const ids = part.commands.map(({ id }) => id);
      const decided = findCommands(part.stream, ids);
      if (decided.length > 0)
        return { ok: false, reason: 'decided', stream: part.stream, commandIds: decided.map(({ id }) => id) };
    }
    return null;
  };

  const write = ({ parts, origin }: AppendRequest): void => {
    const recordedAt = now();
    for (const { stream, envelopes } of parts) {
      const own = streams.get(stream) ?? [];
      streams.set(stream, own);
      for (const envelope of envelopes) {
        const { position, hash } = head();
        const chained = chainHash(Buffer.from(hash, 'hex'), leafOfEnvelope(envelope)).toString('hex');
        const stored = { envelope, position: position + 1n, recordedAt, origin, hash: chained };
        events.push(stored);
        own.push(stored);
      }
    }
    const { position } = head();
    for (const part of parts) {
      const known = commands.get(part.stream) ?? new Map<string, DecidedRange>();
      commands.set(part.stream, known);
      for (const command of part.commands) known.set(command.id, { ...command, position });
    }
  };

  return {
    wakeups,
    append: (request) => {
      const last = request.parts.at(-1) as Part;
      if (request.parts.every(isStored)) {
        return { ok: true, position: storedOf(last).at(-1)?.position ?? 0n, replayed: true };
      }
      const decided = decidedOf(request);
      if (decided) return decided;
      const conflict = request.parts.map(conflictOf).find((found) => found !== null);
      if (conflict) return conflict;
      write(request);
      const { position } = head();
      wakeups.advance(position);
      return { ok: true, position, replayed: false };
    },
    findCommands,
    events: () => events,
    stream: (stream) => streams.get(stream) ?? [],
    names: () => [...streams.keys()],
    head: () => {
      const { position, hash } = head();
      return { position, hash };
    },
    loadSnapshot: (stream) => {
      const kept = snapshots.get(stream);
      return kept ? { ...kept, state: JSON.parse(kept.state) } : null;
    },
    saveSnapshot: (stream, { revision, version, state }) => {
      const text = stateText(state);
      const kept = snapshots.get(stream);
      if (!kept || kept.revision <= revision) snapshots.set(stream, { revision, version, state: text });
    },
  };
};
