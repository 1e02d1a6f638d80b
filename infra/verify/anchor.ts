import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { equalBytes } from './bytes.ts';
import { MalformedError } from './der.ts';
import { areHashes } from './inclusion.ts';
import { decodeRlp, encodeRlp, isBytes, isList, type RlpItem, unsignedBytes } from './rlp.ts';
import { trieValue } from './trie.ts';
import { type U64, u64 } from './u64.ts';

/** Where a block holds an anchor, by value. */
export interface AnchorEvidence {
  /** RLP of the block's header. */
  readonly header: Uint8Array;
  /** Of the transaction in the block. */
  readonly receiptIndex: number;
  /** Nodes of the receipts' trie, root first. */
  readonly receiptPath: readonly Uint8Array[];
  /** Of the event in the receipt. */
  readonly logIndex: number;
}

export interface AnchorInput {
  /** Tree head that is said to be anchored: the origin line of its checkpoint, number of leaves, 32-byte root. */
  readonly origin: string;
  readonly size: U64;
  readonly root: Uint8Array;
  /** 20-byte address of the contract. */
  readonly contract: Uint8Array;
  /** 32-byte hash of a block that the caller knows to be part of the chain: the only thing taken from elsewhere. */
  readonly blockHash: Uint8Array;
  readonly evidence: AnchorEvidence;
}

export type AnchorCode =
  | 'MALFORMED'
  /** The header is not that of the block. */
  | 'BLOCK_MISMATCH'
  /** The path does not lead to a receipt of the block. */
  | 'RECEIPT_NOT_IN_BLOCK'
  | 'TRANSACTION_FAILED'
  | 'EVENT_NOT_FOUND'
  | 'CONTRACT_MISMATCH'
  | 'ORIGIN_MISMATCH'
  | 'SIZE_MISMATCH'
  | 'ROOT_MISMATCH';

export type AnchorVerdict =
  | {
      readonly valid: true;
      readonly block: bigint;
      /** Seconds since 1970, as the block's maker says: the head existed by then. */
      readonly timestamp: bigint;
    }
  | { readonly valid: false; readonly code: AnchorCode };

const EVENT = 'Anchored(bytes32,uint64,bytes32)';
export const ANCHORED_TOPIC: `0x${string}` = `0x${bytesToHex(keccak_256(utf8ToBytes(EVENT)))}`;

/** Under what a contract keeps the heads of a log. */
export const originHashOf = (origin: string): Uint8Array => sha256(utf8ToBytes(origin));

const HEADER = { receiptsRoot: 5, number: 8, timestamp: 11 };
/** Larger ones are not made by any chain; the bound keeps foreign input from costing time. */
const MOST_NODES = 16;
const SUCCESS = 1;

/**
 * Verifies that a block holds the event by which a contract took a tree head: header, receipt and event are bound to the
 * block's hash. Needs no network, and never throws on foreign input. Whether the block is part of a chain, and deep
 * enough in it, is the caller's knowledge; so is that the contract is the log's.
 */
export const verifyAnchor = (input: AnchorInput): AnchorVerdict => {
  try {
    return judge(input ?? {});
  } catch (error) {
    if (error instanceof MalformedError) return refused('MALFORMED');
    throw error;
  }
};

const refused = (code: AnchorCode): AnchorVerdict => ({ valid: false, code });

const judge = ({ origin, size, root, contract, blockHash, evidence }: AnchorInput): AnchorVerdict => {
  const leaves = u64(size);
  if (!Array.isArray(evidence?.receiptPath)) return refused('MALFORMED');
  const { header, receiptIndex, receiptPath, logIndex } = evidence;
  const isSane =
    typeof origin === 'string' &&
    areHashes([root, blockHash]) &&
    [contract, header, ...receiptPath].every((bytes) => bytes instanceof Uint8Array) &&
    [receiptIndex, logIndex].every((index) => Number.isSafeInteger(index) && index >= 0) &&
    receiptPath.length <= MOST_NODES;
  if (leaves === null || !isSane) return refused('MALFORMED');

  if (!equalBytes(keccak_256(header), blockHash)) return refused('BLOCK_MISMATCH');
  const fields = listOf(decodeRlp(header));
  const key = encodeRlp(unsignedBytes(BigInt(receiptIndex)));
  const receipt = receiptIn(bytesOf(fields[HEADER.receiptsRoot]), key, receiptPath);
  if (receipt === null) return refused('RECEIPT_NOT_IN_BLOCK');
  const [status, , , logs] = listOf(receipt);
  if (!equalBytes(bytesOf(status), Uint8Array.of(SUCCESS))) return refused('TRANSACTION_FAILED');

  const event = listOf(logs)[logIndex];
  if (event === undefined) return refused('EVENT_NOT_FOUND');
  const [address, topicList, data] = listOf(event);
  const [topic, originHash, anchoredSize, ...others] = listOf(topicList).map(bytesOf);
  if (!topic || !originHash || !anchoredSize || others.length > 0) return refused('EVENT_NOT_FOUND');
  if (`0x${bytesToHex(topic)}` !== ANCHORED_TOPIC) return refused('EVENT_NOT_FOUND');
  if (!equalBytes(bytesOf(address), contract)) return refused('CONTRACT_MISMATCH');
  if (!equalBytes(originHash, originHashOf(origin))) return refused('ORIGIN_MISMATCH');
  if (!equalBytes(anchoredSize, word(leaves))) return refused('SIZE_MISMATCH');
  if (!equalBytes(bytesOf(data), root)) return refused('ROOT_MISMATCH');
  return {
    valid: true,
    block: numberOf(bytesOf(fields[HEADER.number])),
    timestamp: numberOf(bytesOf(fields[HEADER.timestamp])),
  };
};

const receiptIn = (root: Uint8Array, key: Uint8Array, path: readonly Uint8Array[]): RlpItem | null => {
  const value = trieOrNull(root, key, path);
  if (value === null) return null;
  const first = value[0];
  // EIP-2718: a byte below 0x80 before the list is the transaction's type.
  return decodeRlp(first !== undefined && first < 0x80 ? value.subarray(1) : value);
};

const trieOrNull = (...args: Parameters<typeof trieValue>): Uint8Array | null => {
  try {
    return trieValue(...args);
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
};

const listOf = (item: RlpItem | undefined): readonly RlpItem[] => {
  if (!isList(item)) throw new MalformedError('a list is expected');
  return item;
};

const bytesOf = (item: RlpItem | undefined): Uint8Array => {
  if (!isBytes(item)) throw new MalformedError('bytes are expected');
  return item;
};

/** 32 bytes, big-endian. */
const word = (value: bigint): Uint8Array => {
  const digits = unsignedBytes(value);
  const bytes = new Uint8Array(32);
  bytes.set(digits, bytes.length - digits.length);
  return bytes;
};

const numberOf = (digits: Uint8Array): bigint =>
  digits.length === 0 ? 0n : BigInt(`0x${bytesToHex(digits)}`);
