import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { receiptTrie } from '../anchor/receipt-trie.ts';
import { ANCHORED_TOPIC, type AnchorInput } from './anchor.ts';
import { encodeRlp, type RlpItem, unsignedBytes } from './rlp.ts';

export const CONTRACT = new Uint8Array(20).fill(0xc0);
export const BLOCK = 4_711n;
export const TIMESTAMP = 1_790_000_000n;
/** Of the transaction in its block. */
export const AT = 3;

export const word = (value: bigint): Uint8Array => hexToBytes(value.toString(16).padStart(64, '0'));

interface Made {
  readonly origin?: string;
  readonly size?: bigint;
  readonly root?: Uint8Array;
  readonly status?: number;
  readonly topics?: readonly Uint8Array[];
}

/** A block of ten transactions, the fourth of which anchors a head by its second event. */
export const blockWith = ({
  origin = 'aivillage/log-test',
  size = 300n,
  root = new Uint8Array(32).fill(0xaa),
  status = 1,
  topics,
}: Made = {}): AnchorInput => {
  const anchored = [hexToBytes(ANCHORED_TOPIC.slice(2)), sha256(utf8ToBytes(origin)), word(size)];
  const other: RlpItem = [new Uint8Array(20), [word(1n)], new Uint8Array()];
  const event: RlpItem = [CONTRACT, topics ?? anchored, root];
  const receipts = Array.from({ length: 10 }, (_, at) => {
    const logs = at === AT ? [other, event] : [];
    const gas = unsignedBytes(21_000n * BigInt(at + 1));
    const content = encodeRlp([
      unsignedBytes(BigInt(at === AT ? status : 1)),
      gas,
      new Uint8Array(256),
      logs,
    ]);
    return at % 2 === 0 ? content : Uint8Array.of(2, ...content);
  });
  const trie = receiptTrie(receipts, AT);
  const fields = Array.from({ length: 16 }, () => new Uint8Array(32)) as RlpItem[];
  [fields[5], fields[8], fields[11]] = [trie.root, unsignedBytes(BLOCK), unsignedBytes(TIMESTAMP)];
  const header = encodeRlp(fields);
  return {
    origin,
    size,
    root,
    contract: CONTRACT,
    blockHash: keccak_256(header),
    evidence: { header, receiptIndex: AT, receiptPath: trie.path, logIndex: 1 },
  };
};
