import { emptyRoot, nodeHash } from './merkle.ts';

/** The complete subtree over the leaves `index`·2^`level` up to, not including, (`index` + 1)·2^`level`. */
export interface Subtree {
  readonly level: number;
  readonly index: bigint;
}

/** Leaves from `start` up to, not including, `end`. */
export interface LeafRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** Position of the highest bit plus 1; 0 for 0. */
const bitLength = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length);

/** Largest power of two below `size`, which is at least 2. */
const split = (size: bigint): bigint => 1n << BigInt(bitLength(size - 1n) - 1);

/** The fewest complete subtrees that make up a range, left to right. */
export const subtreesOf = ({ start, end }: LeafRange): Subtree[] => {
  const found: Subtree[] = [];
  for (let at = start; at < end; ) {
    const fitting = bitLength(end - at) - 1;
    const aligned = at === 0n ? fitting : bitLength(at & -at) - 1;
    const level = Math.min(fitting, aligned);
    found.push({ level, index: at >> BigInt(level) });
    at += 1n << BigInt(level);
  }
  return found;
};

/**
 * Ranges whose hashes are the inclusion path of leaf `index` in the tree of `size` (RFC 6962 §2.1.1), leaf upwards.
 * @throws RangeError when the leaf is not in the tree.
 */
export const inclusionRanges = (index: bigint, size: bigint): LeafRange[] => {
  if (index < 0n || index >= size) throw new RangeError(`leaf ${index} is not in a tree of ${size}`);
  const ranges: LeafRange[] = [];
  let [start, end] = [0n, size];
  while (end - start > 1n) {
    const middle = start + split(end - start);
    const isLeft = index < middle;
    ranges.push(isLeft ? { start: middle, end } : { start, end: middle });
    [start, end] = isLeft ? [start, middle] : [middle, end];
  }
  return ranges.reverse();
};

/**
 * Ranges whose hashes prove that the tree of `size1` is a prefix of the tree of `size2` (RFC 6962 §2.1.2).
 * @throws RangeError when the first tree is empty or larger than the second.
 */
export const consistencyRanges = (size1: bigint, size2: bigint): LeafRange[] => {
  if (size1 < 1n || size1 > size2) throw new RangeError(`a tree of ${size1} is no proper start of ${size2}`);
  const ranges: LeafRange[] = [];
  let [start, end] = [0n, size2];
  while (size1 < end) {
    const middle = start + split(end - start);
    const isLeft = size1 <= middle;
    ranges.push(isLeft ? { start: middle, end } : { start, end: middle });
    [start, end] = isLeft ? [start, middle] : [middle, end];
  }
  // The verifier knows the first root: a subtree that is the whole first tree is not part of the path.
  if (start > 0n) ranges.push({ start, end });
  return ranges.reverse();
};

/**
 * Hash of a range of a path, or of a whole tree (`start` 0). Such a range starts at a multiple of a power of two that is
 * not below its size, so its subtrees shrink from left to right and fold from the right as RFC 6962 splits them.
 */
export const hashOfRange = (
  range: LeafRange,
  hashOf: (subtree: Subtree) => Uint8Array,
  node = nodeHash,
): Uint8Array => {
  const hashes = subtreesOf(range).map(hashOf);
  return hashes.length === 0 ? emptyRoot() : hashes.reduceRight((right, left) => node(left, right));
};
