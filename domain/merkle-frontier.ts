import { emptyRoot, nodeHash } from './merkle.ts';

/** A tree that grows at its right edge and remembers nothing but the O(log n) complete subtrees there. */
export interface Frontier {
  size(): bigint;
  /**
   * Appends a leaf hash, or with a level the hash of a complete subtree of 2^`level` leaves.
   * @throws RangeError when the size is not a multiple of the subtree's.
   */
  append(hash: Uint8Array, level?: number): void;
  root(): Uint8Array;
}

export const createFrontier = (node = nodeHash): Frontier => {
  /** The subtree of 2^level leaves at the right edge, where the size has that bit. */
  const edge: (Uint8Array | undefined)[] = [];
  let size = 0n;
  return {
    size: () => size,
    append: (added, level = 0) => {
      if (size & ((1n << BigInt(level)) - 1n))
        throw new RangeError('a subtree starts at a multiple of its size');
      let merged = added;
      let at = level;
      for (let left = edge[at]; left !== undefined; left = edge[at]) {
        merged = node(left, merged);
        edge[at] = undefined;
        at += 1;
      }
      edge[at] = merged;
      size += 1n << BigInt(level);
    },
    root: () => {
      const hashes = edge.filter((subtree) => subtree !== undefined);
      return hashes.length === 0 ? emptyRoot() : hashes.reduce((right, left) => node(left, right));
    },
  };
};
