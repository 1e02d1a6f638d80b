import { bytesToHex } from '@noble/hashes/utils.js';
import type { VerificationStep } from '../../../domain/enclave/events.ts';
import type { Sha256 } from '../../../domain/merkle.ts';
import { equalBytes } from '../bytes.ts';
import type { CheckpointVerdict } from '../checkpoint.ts';
import { notChecked, notExpected, stepOf, type Verdict } from '../steps.ts';
import { anchorJudge, type ExportedAnchorVerdict, type KnownAnchoring } from './anchors.ts';
import type { ExportHeader } from './header.ts';
import type { ByteSource } from './lines.ts';
import { readExport } from './read.ts';
import type { EntryCode, EntryFault, ExportWalk } from './walk.ts';

export interface ExportInput {
  /** The exported log: its bytes, or the pieces in which they come. */
  readonly source: ByteSource;
  /** Key of the log, name+id+base64. Without it the export is checked under the key that it brings itself. */
  readonly publicKey?: string;
  /** Checkpoints seen earlier: the exported log must contain the tree of each. */
  readonly earlier?: readonly string[];
  /** Blocks of another chain that have to hold heads of the exported log. Without them no anchor is judged. */
  readonly anchoring?: KnownAnchoring;
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
  /** What became of each anchor that the export carries; none where form or checkpoint are broken. */
  readonly anchors: readonly ExportedAnchorVerdict[];
  /** What the first line says the export is; null when it is none. */
  readonly claim: Pick<ExportHeader, 'from' | 'to' | 'size' | 'checkpoint' | 'publicKey'> | null;
  /** Hex root of the tree as computed, and hex chain hash after the last event; null when the form is broken. */
  readonly root: string | null;
  readonly chain: string | null;
}

const STEPS = ['key', 'checkpoint', 'tree', 'chain', 'streams', 'consistency', 'anchors'] as const;

/**
 * Verifies an exported log without access to anything else: the hash of every event, the hash chain, the revisions of
 * every stream, the Merkle tree and the signature over its root, that trees seen earlier are part of it, and that blocks
 * which the caller knows hold heads of it. Reads the source once and keeps O(streams + anchors + log n). Never throws on
 * foreign bytes; rejects only when the source cannot be read.
 */
export const verifyExport = async (input: ExportInput): Promise<ExportVerdict> => {
  const judge = anchorJudge(input.anchoring);
  const { header, walk, head, earlier, roots, form, ...found } = await readExport({
    source: input.source,
    publicKey: input.publicKey,
    earlier: input.earlier ?? [],
    sha256: input.sha256,
    needsEvidence: judge.knows,
  });
  const read = {
    events: header && walk ? Number(walk.position() - header.from + 1n) : 0,
    faults: walk?.faults ?? [],
    claim: header,
  };
  if (!header || !walk || !head || form !== null) {
    const reasons = [stepOf('format', form), ...STEPS.map(notChecked)];
    return { valid: false, reasons, ...read, anchors: [], root: null, chain: null };
  }
  const chain = bytesToHex(walk.chain());
  const root = walk.rootOfAll();
  roots.set(header.size, root);
  const anchors = head.valid
    ? found.anchors.map((anchor) => judge.judge(anchor, head.origin, (size) => roots.get(size)))
    : [];
  const reasons = [
    stepOf('format', null),
    ...headSteps(input.publicKey, header, head, root),
    stepOf('chain', firstOf(walk, ['CHAIN_MISMATCH'])),
    stepOf('streams', firstOf(walk, ['BAD_ENVELOPE', 'REVISION_GAP'])),
    consistencyStep(earlier, roots),
    head.valid ? judge.step(anchors) : notChecked('anchors'),
  ];
  const valid = reasons.every((step) => step.ok);
  return { valid, reasons, ...read, anchors, root: bytesToHex(root), chain };
};

const firstOf = (walk: ExportWalk, codes: readonly EntryCode[]): Verdict =>
  codes.find((code) => walk.codes.has(code)) ?? null;

const headSteps = (
  pinned: string | undefined,
  header: ExportHeader,
  head: CheckpointVerdict,
  root: Uint8Array,
): VerificationStep[] => {
  const checkpoint = head.valid ? (head.size === header.size ? null : 'SIZE_MISMATCH') : head.code;
  return [
    pinned === undefined
      ? notExpected('key')
      : stepOf('key', pinned === header.publicKey ? null : 'KEY_MISMATCH'),
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
