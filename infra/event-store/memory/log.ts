import type { Origin } from '../../../domain/event.ts';
import {
  type AppendConflict,
  type AppendResult,
  type Head,
  NO_STREAM,
  type Snapshot,
} from '../../../domain/ports/event-store.ts';
import { EMPTY_HEAD } from '../chain.ts';
import { chainHash, leafOfEnvelope } from '../hash.ts';
import type { AppendRequest, Part } from '../request.ts';
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

/** What a log holds. Several stores may share one, as processes share a database. */
export interface MemoryLog {
  readonly wakeups: Wakeups;
  append(request: AppendRequest): AppendResult;
  /** Index = position − 1. */
  events(): readonly StoredEvent[];
  /** Index = revision. */
  stream(stream: string): readonly StoredEvent[];
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

  const conflictOf = ({ stream, expected }: Part): AppendConflict | null => {
    const actual = revisionOf(stream);
    return actual === expected
      ? null
      : { ok: false, stream, expectedRevision: expected, actualRevision: actual };
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
  };

  return {
    wakeups,
    append: (request) => {
      const last = request.parts.at(-1) as Part;
      if (request.parts.every(isStored)) {
        return { ok: true, position: storedOf(last).at(-1)?.position ?? 0n, replayed: true };
      }
      const conflict = request.parts.map(conflictOf).find((found) => found !== null);
      if (conflict) return conflict;
      write(request);
      const { position } = head();
      wakeups.advance(position);
      return { ok: true, position, replayed: false };
    },
    events: () => events,
    stream: (stream) => streams.get(stream) ?? [],
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
