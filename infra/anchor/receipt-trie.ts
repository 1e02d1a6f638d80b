import { keccak_256 } from '@noble/hashes/sha3.js';
import { encodeRlp, type RlpItem, unsignedBytes } from '../verify/rlp.ts';
import { nibblesOf } from '../verify/trie.ts';

interface Entry {
  /** What is left of the key, a nibble each. */
  readonly rest: readonly number[];
  readonly value: Uint8Array;
}

/** The trie of a block's receipts: its root, and the path to the receipt at `index`. */
export const receiptTrie = (
  receipts: readonly Uint8Array[],
  index: number,
): { readonly root: Uint8Array; readonly path: readonly Uint8Array[] } => {
  const keyOf = (at: number) => nibblesOf(encodeRlp(unsignedBytes(BigInt(at))));
  const path: Uint8Array[] = [];
  const top = nodeOf(
    receipts.map((value, at) => ({ rest: keyOf(at), value })),
    keyOf(index),
    path,
  );
  const root = encodeRlp(top);
  return { root: keccak_256(root), path: [root, ...path.reverse()] };
};

/**
 * The node over these entries. When it leads to `wanted`, the encoded nodes below it that do are added to `path`, the
 * deepest first; null for a node that is aside.
 */
const nodeOf = (entries: readonly Entry[], wanted: readonly number[] | null, path: Uint8Array[]): RlpItem => {
  const [first, ...others] = entries;
  if (first === undefined) return new Uint8Array();
  if (others.length === 0) return [compact(first.rest, true), first.value];
  const common = first.rest.findIndex((nibble, at) => others.some(({ rest }) => rest[at] !== nibble));
  if (common > 0) {
    const below = entries.map(({ rest, value }) => ({ rest: rest.slice(common), value }));
    return [compact(first.rest.slice(0, common), false), childOf(below, wanted?.slice(common) ?? null, path)];
  }
  const children = Array.from({ length: 16 }, (_, nibble) => {
    const below = entries
      .filter(({ rest }) => rest[0] === nibble)
      .map(({ rest, value }) => ({ rest: rest.slice(1), value }));
    return childOf(below, wanted?.[0] === nibble ? wanted.slice(1) : null, path);
  });
  // No key of a receipt is the start of another one.
  return [...children, new Uint8Array()];
};

/** A node as its parent holds it: by hash, or itself when it is shorter. */
const childOf = (
  entries: readonly Entry[],
  wanted: readonly number[] | null,
  path: Uint8Array[],
): RlpItem => {
  const node = nodeOf(entries, wanted, path);
  if (entries.length === 0) return node;
  const encoded = encodeRlp(node);
  if (encoded.length < 32) return node;
  if (wanted) path.push(encoded);
  return keccak_256(encoded);
};

/** Hex-prefix encoding (Ethereum Yellow Paper, appendix C). */
const compact = (nibbles: readonly number[], isLeaf: boolean): Uint8Array => {
  const isOdd = nibbles.length % 2 === 1;
  const flag = (isLeaf ? 2 : 0) + (isOdd ? 1 : 0);
  const all = isOdd ? [flag, ...nibbles] : [flag, 0, ...nibbles];
  return Uint8Array.from(
    { length: all.length / 2 },
    (_, at) => (all[2 * at] as number) * 16 + (all[2 * at + 1] as number),
  );
};
