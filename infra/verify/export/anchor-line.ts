import { HASH_BYTES } from '../../../domain/merkle.ts';
import type { AnchorEvidence } from '../anchor.ts';
import { fromHex } from '../bytes.ts';
import { MalformedError } from '../der.ts';
import { type Check, closed, hex, instant, listOf, orNull, text, whole } from '../shape.ts';
import { stands } from './entry.ts';

/** An anchor in a line `{"anchor":…}` of an export, in the form in which the API gives it. */
export interface ExportAnchorText {
  /** CAIP-2. */
  readonly chain: string;
  readonly simulated: boolean;
  /** Like the hashes of transaction and block: hex with 0x. */
  readonly contract: string;
  readonly tx_hash: string;
  /** Decimal, like `size`. */
  readonly block: string;
  readonly block_hash: string;
  readonly size: string;
  readonly root: string;
  readonly confirmed_at: string;
  readonly evidence: {
    readonly header: string;
    readonly receipt_index: number;
    readonly receipt_path: readonly string[];
    readonly log_index: number;
  } | null;
}

/** An anchor of the log, as whoever wrote the export says it is. */
export interface ExportedAnchor {
  readonly chain: string;
  readonly simulated: boolean;
  /** Hex without 0x, like `blockHash`. */
  readonly contract: string;
  readonly blockHash: string;
  readonly size: bigint;
  readonly root: Uint8Array;
  readonly evidence: AnchorEvidence | null;
}

const START = '{"anchor":';
const MOST_NODES = 16;
/** A node holds a whole receipt, whose events a block's gas bounds. */
const MOST_NODE_BYTES = 1024 * 1024;
const MOST_HEADER_BYTES = 4096;

const hexUpTo =
  (bytes: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= 2 * bytes && /^(?:[0-9a-f]{2})*$/.test(value);
const prefixedHex = (bytes: number): Check => {
  const digits = hex(bytes);
  return (value) => typeof value === 'string' && value.startsWith('0x') && digits(value.slice(2));
};
const decimal: Check = (value) => typeof value === 'string' && /^(?:0|[1-9]\d{0,18})$/.test(value);

const isLine = closed({
  anchor: closed({
    chain: text,
    simulated: (value) => typeof value === 'boolean',
    contract: prefixedHex(20),
    tx_hash: prefixedHex(32),
    block: decimal,
    block_hash: prefixedHex(32),
    size: decimal,
    root: hex(32),
    confirmed_at: instant,
    evidence: orNull(
      closed({
        header: hexUpTo(MOST_HEADER_BYTES),
        receipt_index: whole,
        receipt_path: listOf(hexUpTo(MOST_NODE_BYTES), MOST_NODES),
        log_index: whole,
      } satisfies Record<keyof NonNullable<ExportAnchorText['evidence']>, Check>),
    ),
  } satisfies Record<keyof ExportAnchorText, Check>),
});

export const isAnchorLine = (line: Uint8Array): boolean => stands(START, line, 0);

const parse = (line: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line));
  } catch {
    throw new MalformedError('an anchor is JSON');
  }
};

/** @throws MalformedError */
export const parseAnchor = (line: Uint8Array): ExportedAnchor => {
  const value = parse(line);
  if (!isLine(value)) throw new MalformedError('not an anchor');
  const { anchor } = value as { readonly anchor: ExportAnchorText };
  const { chain, simulated, contract, block_hash, size, root, evidence } = anchor;
  return {
    chain,
    simulated,
    contract: contract.slice(2),
    blockHash: block_hash.slice(2),
    size: BigInt(size),
    root: fromHex(root, HASH_BYTES),
    evidence: evidence && {
      header: fromHex(evidence.header, MOST_HEADER_BYTES),
      receiptIndex: evidence.receipt_index,
      receiptPath: evidence.receipt_path.map((node) => fromHex(node, MOST_NODE_BYTES)),
      logIndex: evidence.log_index,
    },
  };
};
