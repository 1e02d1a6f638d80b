import { sha256 as portableSha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { VerificationStep } from '../../../domain/enclave/events.ts';
import type { Sha256 } from '../../../domain/merkle.ts';
import { equalBytes } from '../bytes.ts';
import { type CheckpointVerdict, verifyCheckpoint } from '../checkpoint.ts';
import { MalformedError } from '../der.ts';
import { notChecked, notExpected, stepOf, type Verdict } from '../steps.ts';
import { type ExportHeader, parseExportHeader } from './header.ts';
import { type ByteSource, linesOf } from './lines.ts';
import { type EntryCode, type EntryFault, type ExportWalk, walkExport } from './walk.ts';

export interface ExportInput {
  /** The exported log: its bytes, or the pieces in which they come. */
  readonly source: ByteSource;
  /** Key of the log, name+id+base64. Without it the export is checked under the key that it brings itself. */
  readonly publicKey?: string;
  /** Checkpoints seen earlier: the exported log must contain the tree of each. */
  readonly earlier?: readonly string[];
  /** A faster SHA-256 than the portable one. */
  readonly sha256?: Sha256;
}

export interface ExportVerdict {
  /** Every step holds. */
  readonly valid: boolean;
  readonly reasons: readonly VerificationStep[];
  /** Number of events that were read. */
  readonly events: number;
  /** The first faults of single events. */
  readonly faults: readonly EntryFault[];
  /** What the first line says the export is; null when it is none. */
  readonly claim: Pick<ExportHeader, 'from' | 'to' | 'size' | 'checkpoint' | 'publicKey'> | null;
  /** Hex root of the tree as computed, and hex chain hash after the last event; null when the form is broken. */
  readonly root: string | null;
  readonly chain: string | null;
}

const STEPS = ['key', 'checkpoint', 'tree', 'chain', 'streams', 'consistency'] as const;

/**
 * Verifies an exported log without access to anything else: the hash of every event, the hash chain, the revisions of
 * every stream, the Merkle tree and the signature over its root, and that trees seen earlier are part of it. Reads the
 * source once and keeps O(streams + log n). Never throws on foreign bytes; rejects only when the source cannot be read.
 */
export const verifyExport = async (input: ExportInput): Promise<ExportVerdict> => {
  const { header, walk, roots, form } = await readExport(input);
  const read = {
    events: header && walk ? Number(walk.position() - header.from + 1n) : 0,
    faults: walk?.faults ?? [],
    claim: header,
  };
  if (!header || !walk || form !== null) {
    const reasons = [stepOf('format', form), ...STEPS.map(notChecked)];
    return { valid: false, reasons, ...read, root: null, chain: null };
  }
  const chain = bytesToHex(walk.chain());
  const root = walk.rootOfAll();
  roots.set(header.size, root);
  const reasons = [
    stepOf('format', null),
    ...headSteps(input, header, root),
    stepOf('chain', firstOf(walk, ['CHAIN_MISMATCH'])),
    stepOf('streams', firstOf(walk, ['BAD_ENVELOPE', 'REVISION_GAP'])),
    consistencyStep(earlierHeads(input, header), roots),
  ];
  return { valid: reasons.every((step) => step.ok), reasons, ...read, root: bytesToHex(root), chain };
};

interface Read {
  header: ExportHeader | null;
  walk: ExportWalk | null;
  /** Roots at the sizes of earlier checkpoints. */
  readonly roots: Map<bigint, Uint8Array>;
  form: Verdict;
}

const readExport = async (input: ExportInput): Promise<Read> => {
  const read: Read = { header: null, walk: null, roots: new Map(), form: null };
  let sizes: ReadonlySet<bigint> = new Set();
  const take = (line: Uint8Array): ExportWalk => {
    if (!read.header || !read.walk) {
      read.header = parseExportHeader(new TextDecoder().decode(line));
      sizes = new Set(earlierHeads(input, read.header).flatMap((head) => (head.valid ? head.size : [])));
      return (read.walk = walkExport(read.header, input.sha256 ?? portableSha256));
    }
    if (read.walk.position() === read.header.to) throw new MalformedError('a line after the last event');
    read.walk.take(line);
    return read.walk;
  };
  try {
    for await (const lines of linesOf(input.source)) {
      for (const line of lines) {
        const walk = take(line);
        if (sizes.has(walk.position())) read.roots.set(walk.position(), walk.rootHere());
      }
    }
    if (!read.header || !read.walk) read.form = 'MALFORMED';
    else if (read.walk.position() !== read.header.to) read.form = 'TRUNCATED';
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    read.form = 'MALFORMED';
  }
  return read;
};

const keyOf = ({ publicKey }: ExportInput, header: ExportHeader): string => publicKey ?? header.publicKey;

const earlierHeads = (input: ExportInput, header: ExportHeader): CheckpointVerdict[] =>
  (input.earlier ?? []).map((checkpoint) =>
    verifyCheckpoint({ checkpoint, publicKey: keyOf(input, header) }),
  );

const firstOf = (walk: ExportWalk, codes: readonly EntryCode[]): Verdict =>
  codes.find((code) => walk.codes.has(code)) ?? null;

const headSteps = (input: ExportInput, header: ExportHeader, root: Uint8Array): VerificationStep[] => {
  const head = verifyCheckpoint({ checkpoint: header.checkpoint, publicKey: keyOf(input, header) });
  const checkpoint = head.valid ? (head.size === header.size ? null : 'SIZE_MISMATCH') : head.code;
  const isPinned = input.publicKey !== undefined;
  return [
    isPinned
      ? stepOf('key', input.publicKey === header.publicKey ? null : 'KEY_MISMATCH')
      : notExpected('key'),
    stepOf('checkpoint', checkpoint),
    head.valid ? stepOf('tree', equalBytes(head.root, root) ? null : 'ROOT_MISMATCH') : notChecked('tree'),
  ];
};

/** A tree without leaves is contained in every log: as an earlier state it would prove nothing. */
const consistencyStep = (
  earlier: readonly CheckpointVerdict[],
  roots: ReadonlyMap<bigint, Uint8Array>,
): VerificationStep => {
  if (earlier.length === 0) return notExpected('consistency');
  for (const head of earlier) {
    if (!head.valid) return stepOf('consistency', head.code);
    const root = head.size === 0n ? undefined : roots.get(head.size);
    if (!root) return stepOf('consistency', 'NOT_COVERED');
    if (!equalBytes(root, head.root)) return stepOf('consistency', 'ROOT_MISMATCH');
  }
  return stepOf('consistency', null);
};
