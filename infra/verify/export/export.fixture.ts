import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { NewEvent } from '../../../domain/event.ts';
import { leafHash, merkleTree } from '../../../domain/merkle.ts';
import { subtreesOf } from '../../../domain/merkle-ranges.ts';
import { chainHash, envelopeOf, GENESIS_HASH } from '../../event-store/hash.ts';
import { createCheckpointSigner } from '../../tlog/signer.ts';
import { blockWith, TIMESTAMP } from '../anchor.fixture.ts';
import type { AnchorInput } from '../anchor.ts';
import type { ExportAnchorText } from './anchor-line.ts';
import { EXPORT_FORMAT, type ExportHeaderText } from './header.ts';

export const signer = createCheckpointSigner([new Uint8Array(32).fill(5)]);

/** A log of `count` events in streams of up to 7, as it would be stored. */
export interface FixtureLog {
  readonly size: number;
  readonly envelopes: readonly string[];
  readonly leaves: readonly Uint8Array[];
  /** Hex; index 0 is the empty log's. */
  readonly chain: readonly string[];
  /** Signed note of the tree of a size. */
  checkpoint(size?: number): string;
}

const eventAt = (index: number): NewEvent => ({
  type: 'sample.happened',
  schemaVersion: 1,
  data: { number: index, note: `Zeile „${index}“\n`, list: [1, null, { deep: true }] },
  occurredAt: '2026-01-02T03:04:05.678Z',
  actor: 'engine',
  correlationId: `job-${index >> 5}`,
  causationId: 'command-1',
  traceparent: null,
});

export const logOf = (count: number, from = 0): FixtureLog => {
  const envelopes = Array.from({ length: count }, (_, index) =>
    envelopeOf(eventAt(from + index), `sample-${Math.floor(index / 7)}`, BigInt(index % 7)),
  );
  const leaves = envelopes.map((envelope) => leafHash(utf8ToBytes(envelope)));
  const chain = [GENESIS_HASH];
  for (const leaf of leaves)
    chain.push(chainHash(Buffer.from(chain.at(-1) as string, 'hex'), leaf).toString('hex'));
  return {
    size: count,
    envelopes,
    leaves,
    chain,
    checkpoint: (size = count) =>
      signer.sign({ size: BigInt(size), root: merkleTree(leaves.slice(0, size)).root }),
  };
};

/** Line of the event at a position. */
export const entryLine = ({ envelopes, chain }: FixtureLog, position: number): string =>
  `{"position":"${position}","hash":"${chain[position]}","envelope":${envelopes[position - 1]}}\n`;

/** An anchor of the log at a size, in a block that holds it. */
export const anchorOf = (
  log: FixtureLog,
  size: number,
  root = merkleTree(log.leaves.slice(0, size)).root,
): ExportAnchorText => anchorText(blockWith({ origin: signer.origin, size: BigInt(size), root }));

const anchorText = ({ size, root, contract, blockHash, evidence }: AnchorInput): ExportAnchorText => ({
  chain: 'eip155:31337',
  simulated: true,
  contract: `0x${bytesToHex(contract)}`,
  tx_hash: `0x${'7'.repeat(64)}`,
  block: '4711',
  block_hash: `0x${bytesToHex(blockHash)}`,
  size: String(size),
  root: bytesToHex(root),
  confirmed_at: new Date(Number(TIMESTAMP) * 1000).toISOString(),
  evidence: {
    header: bytesToHex(evidence.header),
    receipt_index: evidence.receiptIndex,
    receipt_path: evidence.receiptPath.map(bytesToHex),
    log_index: evidence.logIndex,
  },
});

/** A part of the log as text of an export. */
export const exportText = (
  log: FixtureLog,
  { from = 1, to = log.size, size = log.size }: { from?: number; to?: number; size?: number } = {},
  change: Partial<ExportHeaderText> = {},
  anchors: readonly ExportAnchorText[] = [],
): string => {
  const subtrees = (start: number, end: number): string[] =>
    subtreesOf({ start: BigInt(start), end: BigInt(end) }).map(({ level, index }) => {
      const width = 2 ** level;
      return bytesToHex(
        merkleTree(log.leaves.slice(Number(index) * width, (Number(index) + 1) * width)).root,
      );
    });
  const header: ExportHeaderText = {
    format: EXPORT_FORMAT,
    from: String(from),
    to: String(to),
    size: String(size),
    chain: log.chain[from - 1] as string,
    left: subtrees(0, from - 1),
    right: subtrees(to, size),
    checkpoint: log.checkpoint(size),
    public_key: signer.publicKey,
    ...change,
  };
  const lines = Array.from({ length: to - from + 1 }, (_, index) => entryLine(log, from + index));
  const anchored = anchors.map((anchor) => `${JSON.stringify({ anchor })}\n`);
  return `${JSON.stringify(header)}\n${anchored.join('')}${lines.join('')}`;
};
