import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leafHash, merkleTree, nodeHash } from './merkle.ts';
import { createFrontier } from './merkle-frontier.ts';
import {
  consistencyRanges,
  hashOfRange,
  inclusionRanges,
  type Subtree,
  subtreesOf,
} from './merkle-ranges.ts';

const LEAVES = Array.from({ length: 300 }, (_, index) => leafHash(utf8ToBytes(`entry ${index}`)));

/** MTH of RFC 6962 §2.1 over leaf hashes, word by word. */
const naiveRoot = (leaves: readonly Uint8Array[]): Uint8Array => {
  if (leaves.length < 2) return leaves[0] ?? merkleTree([]).root;
  const middle = naiveSplit(leaves.length);
  return nodeHash(naiveRoot(leaves.slice(0, middle)), naiveRoot(leaves.slice(middle)));
};

const naiveSplit = (size: number): number => {
  let middle = 1;
  while (middle * 2 < size) middle *= 2;
  return middle;
};

/** PATH of RFC 6962 §2.1.1, word by word. */
const naivePath = (index: number, leaves: readonly Uint8Array[]): Uint8Array[] => {
  if (leaves.length === 1) return [];
  const middle = naiveSplit(leaves.length);
  const [left, right] = [leaves.slice(0, middle), leaves.slice(middle)];
  return index < middle
    ? [...naivePath(index, left), naiveRoot(right)]
    : [...naivePath(index - middle, right), naiveRoot(left)];
};

/** SUBPROOF of RFC 6962 §2.1.2, word by word. */
const naiveProof = (size1: number, leaves: readonly Uint8Array[], isWhole = true): Uint8Array[] => {
  if (size1 === leaves.length) return isWhole ? [] : [naiveRoot(leaves)];
  const middle = naiveSplit(leaves.length);
  const [left, right] = [leaves.slice(0, middle), leaves.slice(middle)];
  return size1 <= middle
    ? [...naiveProof(size1, left, isWhole), naiveRoot(right)]
    : [...naiveProof(size1 - middle, right, false), naiveRoot(left)];
};

const hashOf = ({ level, index }: Subtree): Uint8Array => {
  const width = 2 ** level;
  return naiveRoot(LEAVES.slice(Number(index) * width, (Number(index) + 1) * width));
};
const hex = (hashes: readonly Uint8Array[]): string[] => hashes.map(bytesToHex);

const sizes = fc.integer({ min: 1, max: LEAVES.length });

describe('ranges of a Merkle tree', () => {
  it('give the inclusion paths of the standard', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), (size, seed) => {
        const index = seed % size;
        const path = inclusionRanges(BigInt(index), BigInt(size)).map((range) => hashOfRange(range, hashOf));
        expect(hex(path)).toEqual(hex(naivePath(index, LEAVES.slice(0, size))));
      }),
    );
  });

  it('give the consistency proofs of the standard', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), (size2, seed) => {
        const size1 = 1 + (seed % size2);
        const path = consistencyRanges(BigInt(size1), BigInt(size2)).map((range) =>
          hashOfRange(range, hashOf),
        );
        expect(hex(path)).toEqual(hex(naiveProof(size1, LEAVES.slice(0, size2))));
      }),
    );
  });

  it('split into few complete subtrees that follow one another', () => {
    const bounds = fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 64n }), fc.bigInt({ min: 0n, max: 2n ** 64n }));
    fc.assert(
      fc.property(bounds, ([one, other]) => {
        const [start, end] = one < other ? [one, other] : [other, one];
        const subtrees = subtreesOf({ start, end });
        expect(subtrees.length).toBeLessThanOrEqual(128);
        let at = start;
        for (const { level, index } of subtrees) {
          expect(index << BigInt(level)).toBe(at);
          at += 1n << BigInt(level);
        }
        expect(at).toBe(end);
      }),
    );
  });

  it('exist only for leaves and starts of the tree', () => {
    expect(() => inclusionRanges(5n, 5n)).toThrow(RangeError);
    expect(() => inclusionRanges(-1n, 5n)).toThrow(RangeError);
    expect(() => consistencyRanges(0n, 5n)).toThrow(RangeError);
    expect(() => consistencyRanges(6n, 5n)).toThrow(RangeError);
  });
});

describe('a frontier', () => {
  it('has the root of the tree at every size', () => {
    const frontier = createFrontier();
    expect(hex([frontier.root()])).toEqual(hex([naiveRoot([])]));
    for (const [index, leaf] of LEAVES.entries()) {
      frontier.append(leaf);
      expect(frontier.size()).toBe(BigInt(index + 1));
      expect(hex([frontier.root()])).toEqual(hex([merkleTree(LEAVES.slice(0, index + 1)).root]));
    }
    expect(hex([frontier.root()])).toEqual(hex([naiveRoot(LEAVES)]));
  });

  it('takes complete subtrees for the leaves of a range', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, one, other) => {
        const [start, end] = [one % (size + 1), other % (size + 1)].sort((a, b) => a - b) as [number, number];
        const frontier = createFrontier();
        const skip = (from: number, to: number) => {
          for (const subtree of subtreesOf({ start: BigInt(from), end: BigInt(to) }))
            frontier.append(hashOf(subtree), subtree.level);
        };
        skip(0, start);
        for (const leaf of LEAVES.slice(start, end)) frontier.append(leaf);
        skip(end, size);
        expect(hex([frontier.root()])).toEqual(hex([naiveRoot(LEAVES.slice(0, size))]));
      }),
    );
  });

  it('refuses a subtree out of place', () => {
    const frontier = createFrontier();
    frontier.append(LEAVES[0] as Uint8Array);
    expect(() => frontier.append(LEAVES[1] as Uint8Array, 1)).toThrow(RangeError);
  });
});
