import { eventId, type RecordedEvent } from '../../domain/event.ts';
import { type Head, NO_STREAM } from '../../domain/ports/event-store.ts';
import { chainHash, envelopeOf, GENESIS_HASH, leafOfEnvelope } from './hash.ts';

/** One stored event with the exact text that was hashed and the columns that repeat parts of it. */
export interface ChainEntry {
  readonly position: bigint;
  readonly stream: string;
  readonly revision: bigint;
  readonly type: string;
  readonly envelope: string;
  /** Hex chain hash as recorded. */
  readonly hash: string;
}

export interface ChainFault {
  readonly position: bigint;
  /** What is wrong, in words. */
  readonly problem: string;
}

export interface ChainVerifier<Entry extends ChainEntry = ChainEntry> {
  /** Checks the next entry against all before it; the faults are its own, later entries are not blamed for them. */
  check(entry: Entry): readonly ChainFault[];
  /** Position and hash as recorded by the last entry. */
  head(): Head;
}

export const EMPTY_HEAD: Head = { position: 0n, hash: GENESIS_HASH };

/** An event read through the port without upcasters: what was stored. */
export const chainEntryOf = (event: RecordedEvent): ChainEntry => ({
  ...event,
  envelope: envelopeOf(event, event.stream, event.revision),
});

/** The last revision of each stream that was asked for: as much memory as there are streams. */
const rememberedRevisions = (): ((entry: ChainEntry) => bigint) => {
  const revisions = new Map<string, bigint>();
  return ({ stream, revision }) => {
    const before = revisions.get(stream) ?? NO_STREAM;
    revisions.set(stream, revision);
    return before;
  };
};

/**
 * Walks the log from its first event, or from behind `start`: positions without a gap, revisions in order, columns as hashed, hashes chained.
 * `revisionBefore`: what its stream ended with before an entry; the verifier remembers it unless somebody else knows.
 */
export const createChainVerifier = <Entry extends ChainEntry>(
  revisionBefore: (entry: Entry) => bigint = rememberedRevisions(),
  start: Head = EMPTY_HEAD,
): ChainVerifier<Entry> => {
  let head = start;

  return {
    head: () => head,
    check: (entry) => {
      const problems = [
        ...positionProblems(head, entry),
        ...revisionProblems(revisionBefore(entry), entry),
        ...envelopeProblems(entry),
        ...hashProblems(head, entry),
      ];
      head = { position: entry.position, hash: entry.hash };
      return problems.map((problem) => ({ position: entry.position, problem }));
    },
  };
};

/** All faults of the whole log, given from its first event on. */
export const verifyChain = (
  entries: Iterable<ChainEntry>,
): { readonly head: Head; readonly faults: ChainFault[] } => {
  const verifier = createChainVerifier();
  const faults: ChainFault[] = [];
  for (const entry of entries) faults.push(...verifier.check(entry));
  return { head: verifier.head(), faults };
};

const positionProblems = (head: Head, { position }: ChainEntry): string[] =>
  position === head.position + 1n ? [] : [`position ${position} follows ${head.position}`];

const revisionProblems = (previous: bigint, { stream, revision }: ChainEntry): string[] =>
  revision === previous + 1n ? [] : [`revision ${revision} of ${stream} follows ${previous}`];

const hashProblems = (head: Head, { envelope, hash }: ChainEntry): string[] =>
  chainHash(Buffer.from(head.hash, 'hex'), leafOfEnvelope(envelope)).toString('hex') === hash
    ? []
    : ['the content does not match its hash'];

/** The columns that queries filter by must say what was hashed. */
const envelopeProblems = (entry: ChainEntry): string[] => {
  const hashed = parse(entry.envelope);
  if (hashed === null) return ['the envelope is not a JSON object'];
  const wanted = {
    id: eventId(entry.stream, entry.revision),
    stream: entry.stream,
    revision: Number(entry.revision),
    type: entry.type,
  };
  return Object.entries(wanted)
    .filter(([member, value]) => hashed[member] !== value)
    .map(([member, value]) => `${member} is recorded as ${value} and hashed as ${String(hashed[member])}`);
};

const parse = (envelope: string): Record<string, unknown> | null => {
  try {
    const value: unknown = JSON.parse(envelope);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
};
