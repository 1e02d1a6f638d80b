import { HASH_BYTES, type Sha256, treeHashes } from '../../../domain/merkle.ts';
import { createFrontier } from '../../../domain/merkle-frontier.ts';
import { bytesOfHex, isHexOf, parseEntry, placeOf } from './entry.ts';
import type { ExportHeader } from './header.ts';

/** What of an event is not as it must be. */
export type EntryCode =
  /** The recorded chain hash does not follow from the event and the hash before it. */
  | 'CHAIN_MISMATCH'
  /** The envelope is not JSON, or its id is not that of its stream and revision. */
  | 'BAD_ENVELOPE'
  /** The revision does not follow the last one of its stream. */
  | 'REVISION_GAP';

export interface EntryFault {
  readonly position: bigint;
  readonly code: EntryCode;
}

/** Goes through the events of an export one by one, keeping hashes instead of events. */
export interface ExportWalk {
  /** Takes the line of the next event. @throws MalformedError when it is not one. */
  take(line: Uint8Array): void;
  /** Position of the last event taken. */
  position(): bigint;
  /** Chain hash there: computed, and after a fault as recorded. */
  chain(): Uint8Array;
  /** Root of the tree of all leaves up to there. */
  rootHere(): Uint8Array;
  /** Root of the whole tree, after the last event. */
  rootOfAll(): Uint8Array;
  /** The first faults, and every code there was. */
  readonly faults: readonly EntryFault[];
  readonly codes: ReadonlySet<EntryCode>;
}

/** Faults that are told one by one. */
const TOLD = 20;

export const walkExport = (header: ExportHeader, sha256: Sha256): ExportWalk => {
  const { leaf: leafHash, node } = treeHashes(sha256);
  const frontier = createFrontier(node);
  for (const { hash, level } of header.left) frontier.append(hash, level);
  const revisions = new Map<string, number>();
  const faults: EntryFault[] = [];
  const codes = new Set<EntryCode>();
  const link = new Uint8Array(2 * HASH_BYTES);
  let chain = header.chain;
  let position = header.from - 1n;

  const fault = (code: EntryCode): void => {
    codes.add(code);
    if (faults.length < TOLD) faults.push({ position, code });
  };

  /** A stream's first event in the export may be any where the export does not start with the log. */
  const checkPlace = (envelope: Uint8Array): void => {
    const place = placeOf(envelope);
    if (!place) return fault('BAD_ENVELOPE');
    const before = revisions.get(place.stream) ?? (header.from === 1n ? -1 : place.revision - 1);
    if (place.revision !== before + 1) fault('REVISION_GAP');
    revisions.set(place.stream, place.revision);
  };

  return {
    take: (line) => {
      const { hash, envelope } = parseEntry(line, position + 1n);
      position += 1n;
      const leaf = leafHash(envelope);
      frontier.append(leaf);
      link.set(chain);
      link.set(leaf, HASH_BYTES);
      chain = sha256(link);
      if (!isHexOf(hash, chain)) {
        fault('CHAIN_MISMATCH');
        // The events behind it are judged by what is recorded: they are not to blame.
        chain = bytesOfHex(hash) ?? chain;
      }
      checkPlace(envelope);
    },
    position: () => position,
    chain: () => chain,
    rootHere: frontier.root,
    rootOfAll: () => {
      for (const { hash, level } of header.right) frontier.append(hash, level);
      return frontier.root();
    },
    faults,
    codes,
  };
};
