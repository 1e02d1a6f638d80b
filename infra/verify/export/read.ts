import { sha256 as portableSha256 } from '@noble/hashes/sha2.js';
import type { Sha256 } from '../../../domain/merkle.ts';
import { type CheckpointVerdict, verifyCheckpoint } from '../checkpoint.ts';
import { MalformedError } from '../der.ts';
import type { Verdict } from '../steps.ts';
import { type ExportedAnchor, isAnchorLine, parseAnchor } from './anchor-line.ts';
import { type ExportHeader, parseExportHeader } from './header.ts';
import { type ByteSource, linesOf } from './lines.ts';
import { type ExportWalk, walkExport } from './walk.ts';

export interface ReadOptions {
  readonly source: ByteSource;
  readonly publicKey: string | undefined;
  readonly earlier: readonly string[];
  readonly sha256: Sha256 | undefined;
  /** Whether the evidence for an anchor in this block will be looked at; no other is kept. */
  readonly needsEvidence: (blockHash: string) => boolean;
}

/** An export that was gone through. */
export interface ReadExport {
  header: ExportHeader | null;
  walk: ExportWalk | null;
  /** The checkpoint of the header, and those seen earlier. */
  head: CheckpointVerdict | null;
  earlier: readonly CheckpointVerdict[];
  readonly anchors: ExportedAnchor[];
  /** Roots at the sizes of earlier checkpoints and anchors. */
  readonly roots: Map<bigint, Uint8Array>;
  /** What is wrong with the form; null when nothing is. */
  form: Verdict;
}

/** Goes through an export once: header, anchors, events. Rejects only when the source cannot be read. */
export const readExport = async (options: ReadOptions): Promise<ReadExport> => {
  const read: ReadExport = {
    header: null,
    walk: null,
    head: null,
    earlier: [],
    anchors: [],
    roots: new Map(),
    form: null,
  };
  const sizes = new Set<bigint>();

  const begin = (line: Uint8Array): ExportWalk => {
    const header = parseExportHeader(new TextDecoder().decode(line));
    const publicKey = options.publicKey ?? header.publicKey;
    read.header = header;
    read.head = verifyCheckpoint({ checkpoint: header.checkpoint, publicKey });
    read.earlier = options.earlier.map((checkpoint) => verifyCheckpoint({ checkpoint, publicKey }));
    for (const head of read.earlier) if (head.valid) sizes.add(head.size);
    return (read.walk = walkExport(header, options.sha256 ?? portableSha256));
  };

  const take = (line: Uint8Array): ExportWalk => {
    const { header, walk } = read;
    if (!header || !walk) return begin(line);
    if (walk.position() < header.from && isAnchorLine(line)) {
      const anchor = parseAnchor(line);
      sizes.add(anchor.size);
      read.anchors.push(options.needsEvidence(anchor.blockHash) ? anchor : { ...anchor, evidence: null });
      return walk;
    }
    if (walk.position() === header.to) throw new MalformedError('a line after the last event');
    walk.take(line);
    return walk;
  };

  try {
    for await (const lines of linesOf(options.source)) {
      for (const line of lines) {
        const walk = take(line);
        if (sizes.has(walk.position())) read.roots.set(walk.position(), walk.rootHere());
      }
    }
    const { header, walk } = read;
    if (!header || !walk) read.form = 'MALFORMED';
    else if (walk.position() !== header.to) read.form = 'TRUNCATED';
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    read.form = 'MALFORMED';
  }
  return read;
};
