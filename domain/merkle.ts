import { sha256 } from '@noble/hashes/sha2.js';

/** The Merkle tree of RFC 6962 §2.1: SHA-256, leaves and nodes in hash domains of their own, no leaf ever doubled. */

export const HASH_BYTES = 32;

/** One-shot SHA-256. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** The two hashes of the tree. */
export interface TreeHashes {
  /** Hash of an entry: SHA-256(0x00 ‖ entry). */
  leaf(entry: Uint8Array): Uint8Array;
  /** Hash of an inner node: SHA-256(0x01 ‖ left ‖ right). */
  node(left: Uint8Array, right: Uint8Array): Uint8Array;
}

/** The hashes over a given SHA-256: who hashes a whole log may have a faster one than the portable default. */
export const treeHashes = (hash: Sha256): TreeHashes => ({
  leaf: (entry) => {
    const input = new Uint8Array(1 + entry.length);
    input.set(entry, 1);
    return hash(input);
  },
  node: (left, right) => {
    const input = new Uint8Array(1 + left.length + right.length);
    input[0] = 1;
    input.set(left, 1);
    input.set(right, 1 + left.length);
    return hash(input);
  },
});

const portable = treeHashes(sha256);

/** Hash of an entry: SHA-256(0x00 ‖ entry). */
export const leafHash = (entry: Uint8Array): Uint8Array => portable.leaf(entry);

/** Hash of an inner node: SHA-256(0x01 ‖ left ‖ right). */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array => portable.node(left, right);

/** Root of the tree without leaves: SHA-256 of the empty string. */
export const emptyRoot = (): Uint8Array => sha256(new Uint8Array(0));

/**
 * Every level of the tree from the leaf hashes up to the root alone. An odd last node rises unhashed, which is the
 * same tree as RFC 6962's split at the largest power of two below n. Empty for no leaves.
 */
const levelsOf = (leafHashes: readonly Uint8Array[]): (readonly Uint8Array[])[] => {
  if (leafHashes.length === 0) return [];
  const levels: (readonly Uint8Array[])[] = [leafHashes];
  for (let level = leafHashes; level.length > 1; ) {
    const parents: Uint8Array[] = [];
    for (let index = 0; index < level.length; index += 2) {
      const left = level[index] as Uint8Array;
      const right = level[index + 1];
      parents.push(right ? nodeHash(left, right) : left);
    }
    levels.push(parents);
    level = parents;
  }
  return levels;
};

/** A whole tree in memory, for sets that are committed to at once. A growing log keeps tiles instead. */
export interface MerkleTree {
  readonly size: number;
  readonly root: Uint8Array;
  /** Inclusion path of leaf `index`, from the leaf's sibling up. @throws RangeError outside the tree. */
  path(index: number): Uint8Array[];
}

/** Builds the tree over leaf hashes (see `leafHash`) in O(n). */
export const merkleTree = (leafHashes: readonly Uint8Array[]): MerkleTree => {
  const levels = levelsOf(leafHashes);
  const size = leafHashes.length;
  return {
    size,
    root: levels.at(-1)?.[0] ?? emptyRoot(),
    path: (index) => {
      if (!Number.isInteger(index) || index < 0 || index >= size) throw new RangeError(`no leaf ${index}`);
      return levels.flatMap((level, height) => level[Math.floor(index / 2 ** height) ^ 1] ?? []);
    },
  };
};

/**
 * The root that an inclusion path leads to (RFC 9162 §2.1.3.2), or null when the path's length is not the one that
 * `index` and `size` demand, a hash is not 32 bytes, or the index is outside the tree. Compare it with the known root.
 */
export const rootFromPath = (
  leaf: Uint8Array,
  index: bigint,
  size: bigint,
  path: readonly Uint8Array[],
): Uint8Array | null => {
  if (index < 0n || index >= size || leaf.length !== HASH_BYTES) return null;
  let hash = leaf;
  let node = index;
  let last = size - 1n;
  for (const sibling of path) {
    if (last === 0n || sibling.length !== HASH_BYTES) return null;
    if (node % 2n === 1n || node === last) {
      hash = nodeHash(sibling, hash);
      // A last node without a sibling rises unhashed to where it is a right child.
      while (node % 2n === 0n && node !== 0n) {
        node /= 2n;
        last /= 2n;
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node /= 2n;
    last /= 2n;
  }
  return last === 0n ? hash : null;
};
