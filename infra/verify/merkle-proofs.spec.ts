import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyRoot, leafHash, merkleTree, nodeHash } from '../../domain/merkle.ts';
import { consistencyRanges, hashOfRange } from '../../domain/merkle-ranges.ts';
import { type ConsistencyProof, type InclusionProof, verifyConsistency, verifyInclusion } from './index.ts';

interface Vectors {
  readonly hashes: readonly {
    desc: string;
    sha256: string;
    leaf_hex?: string;
    left_hex?: string;
    right_hex?: string;
  }[];
  readonly rfc6962_leaves_hex: readonly string[];
  readonly rfc6962_roots_hex: readonly string[];
  readonly inclusion: readonly {
    desc: string;
    file: string;
    leafIdx: string;
    treeSize: string;
    root: string | null;
    leafHash: string | null;
    proof: readonly string[] | null;
    wantErr: boolean;
  }[];
  readonly consistency: readonly {
    desc: string;
    file: string;
    size1: string;
    size2: string;
    root1: string | null;
    root2: string | null;
    proof: readonly string[] | null;
    wantErr: boolean;
  }[];
}

const path = fileURLToPath(new URL('../../../shared/vectors/rfc6962.json', import.meta.url));
const present = existsSync(path);
if (!present) console.warn('skipped: the RFC 6962 reference vectors are not beside this checkout');

/** Sizes become text before JSON.parse could round them. */
const vectors = (): Vectors =>
  JSON.parse(
    readFileSync(path, 'utf8').replace(/("(?:leafIdx|treeSize|size1|size2)":\s*)(\d+)/g, '$1"$2"'),
  ) as Vectors;

const bytes = (base64: string | null): Uint8Array => new Uint8Array(Buffer.from(base64 ?? '', 'base64'));

describe.skipIf(!present)('the reference vectors of RFC 6962', () => {
  it('have these leaf and node hashes and roots', () => {
    const { hashes, rfc6962_leaves_hex: leaves, rfc6962_roots_hex: roots } = vectors();
    expect(hashes.length).toBe(4);
    for (const { sha256, leaf_hex, left_hex, right_hex } of hashes) {
      const computed =
        leaf_hex !== undefined
          ? leafHash(hexToBytes(leaf_hex))
          : left_hex !== undefined && right_hex !== undefined
            ? nodeHash(hexToBytes(left_hex), hexToBytes(right_hex))
            : emptyRoot();
      expect(bytesToHex(computed)).toBe(sha256);
    }
    expect(roots.length).toBe(8);
    for (const [index, root] of roots.entries()) {
      const tree = merkleTree(leaves.slice(0, index + 1).map((leaf) => leafHash(hexToBytes(leaf))));
      expect(bytesToHex(tree.root)).toBe(root);
    }
  });

  it('are included or refused as they say', () => {
    const { inclusion } = vectors();
    expect(inclusion.length).toBe(49);
    for (const each of inclusion) {
      const verdict = verifyInclusion({
        leafHash: bytes(each.leafHash),
        index: BigInt(each.leafIdx),
        size: BigInt(each.treeSize),
        root: bytes(each.root),
        path: (each.proof ?? []).map(bytes),
      });
      expect({ ...each, refused: !verdict }).toEqual({ ...each, refused: each.wantErr });
    }
  });

  it('are consistent or refused as they say', () => {
    const { consistency } = vectors();
    expect(consistency.length).toBe(49);
    for (const each of consistency) {
      const verdict = verifyConsistency({
        size1: BigInt(each.size1),
        size2: BigInt(each.size2),
        root1: bytes(each.root1),
        root2: bytes(each.root2),
        path: (each.proof ?? []).map(bytes),
      });
      expect({ ...each, refused: !verdict }).toEqual({ ...each, refused: each.wantErr });
    }
  });
});

const LEAVES = Array.from({ length: 300 }, (_, index) => leafHash(utf8ToBytes(`entry ${index}`)));
const TREES = LEAVES.map((_, index) => merkleTree(LEAVES.slice(0, index + 1)));
const rootAt = (size: number): Uint8Array => TREES[size - 1]?.root ?? emptyRoot();
const consistencyPath = (size1: number, size2: number): Uint8Array[] =>
  consistencyRanges(BigInt(size1), BigInt(size2)).map(({ start, end }) =>
    hashOfRange({ start, end }, ({ level, index }) => {
      const width = 2 ** level;
      return merkleTree(LEAVES.slice(Number(index) * width, (Number(index) + 1) * width)).root;
    }),
  );

const flip = (hash: Uint8Array, at = 0): Uint8Array =>
  hash.map((byte, index) => (index === at ? byte ^ 1 : byte));
const flipIn = (hashes: readonly Uint8Array[], at: number): Uint8Array[] =>
  hashes.map((hash, index) => (index === at ? flip(hash, 31) : hash));

const inclusionOf = (index: number, size: number): InclusionProof => ({
  leafHash: LEAVES[index] as Uint8Array,
  index,
  size,
  root: rootAt(size),
  path: TREES[size - 1]?.path(index) ?? [],
});
const consistencyOf = (size1: number, size2: number): ConsistencyProof => ({
  size1,
  size2,
  root1: rootAt(size1),
  root2: rootAt(size2),
  path: consistencyPath(size1, size2),
});

const U64_MAX = 2n ** 64n - 1n;
const sizes = fc.integer({ min: 1, max: LEAVES.length });

describe('verifyInclusion', () => {
  it('holds for every leaf of every tree up to 300 leaves', () => {
    for (let size = 1; size <= LEAVES.length; size++)
      for (let index = size % 7; index < size; index += 7)
        expect(verifyInclusion(inclusionOf(index, size))).toBe(true);
  });

  it('refuses every other index, size, leaf, root and path', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, seed, other) => {
        const index = seed % size;
        const proof = inclusionOf(index, size);
        const { path, root, leafHash } = proof;
        const spoilt: Partial<InclusionProof>[] = [
          { leafHash: flip(leafHash, other % 32) },
          { root: flip(root, other % 32) },
          { path: [...path, root] },
          { path: [root, ...path] },
          ...path.map((_, at) => ({ path: flipIn(path, at) })),
          ...path.map((_, at) => ({ path: path.toSpliced(at, 1) })),
        ];
        for (const change of spoilt) expect(verifyInclusion({ ...proof, ...change })).toBe(false);
        if (other % size !== index) expect(verifyInclusion({ ...proof, index: other % size })).toBe(false);
      }),
    );
  });

  it('refuses what is no index, size or hash', () => {
    const proof = inclusionOf(3, 7);
    const refused: Partial<InclusionProof>[] = [
      { index: 7 },
      { index: -1 },
      { index: 0.5 },
      { index: Number.NaN },
      { index: 2 ** 64 },
      { index: U64_MAX },
      { index: 3n + 2n ** 64n },
      { size: 0 },
      { size: -1n },
      { size: 2n ** 64n },
      { leafHash: new Uint8Array(0) },
      { root: new Uint8Array(0) },
      { leafHash: new Uint8Array(31) },
      { root: new Uint8Array(33) },
      { path: [new Uint8Array(0), ...proof.path.slice(1)] },
      { path: [new Uint8Array(33), ...proof.path.slice(1)] },
    ];
    for (const change of refused) expect(verifyInclusion({ ...proof, ...change })).toBe(false);
    expect(verifyInclusion({ ...proof, index: 3n, size: 7n })).toBe(true);
  });

  it('loses nothing of sizes beyond 2^53', () => {
    const leafHash = LEAVES[0] as Uint8Array;
    const [size, index] = [U64_MAX, U64_MAX - 1n];
    const path = Array.from({ length: 63 }, () => LEAVES[1] as Uint8Array);
    const root = path.reduce((hash, sibling) => nodeHash(sibling, hash), leafHash);
    // 2^64 - 1 leaves: the last one has a sibling in every complete subtree to its left.
    expect(verifyInclusion({ leafHash, index, size, root, path })).toBe(true);
    expect(verifyInclusion({ leafHash, index: index - 1n, size, root, path })).toBe(false);
    expect(verifyInclusion({ leafHash, index: Number(index), size, root, path })).toBe(false);
  });
});

describe('verifyConsistency', () => {
  it('holds between any two trees up to 300 leaves', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), (size2, seed) => {
        expect(verifyConsistency(consistencyOf(1 + (seed % size2), size2))).toBe(true);
      }),
    );
  });

  it('refuses every other root and path', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat({ max: 31 }), (size2, seed, at) => {
        const proof = consistencyOf(1 + (seed % size2), size2);
        const { path, root1, root2 } = proof;
        const spoilt: Partial<ConsistencyProof>[] = [
          { root1: flip(root1, at) },
          { root2: flip(root2, at) },
          { path: [...path, root2] },
          { path: [root1, ...path] },
          ...path.map((_, index) => ({ path: flipIn(path, index) })),
          ...path.map((_, index) => ({ path: path.toSpliced(index, 1) })),
        ];
        for (const change of spoilt) expect(verifyConsistency({ ...proof, ...change })).toBe(false);
      }),
    );
  });

  it('refuses an empty first tree: it would prove nothing', () => {
    const none = { root1: emptyRoot(), path: [] };
    expect(verifyConsistency({ ...none, size1: 0, size2: 0, root2: emptyRoot() })).toBe(false);
    expect(verifyConsistency({ ...none, size1: 0, size2: 5, root2: rootAt(5) })).toBe(false);
  });

  it('wants equal roots and no path between equal sizes', () => {
    const same = consistencyOf(5, 5);
    expect(verifyConsistency(same)).toBe(true);
    expect(verifyConsistency({ ...same, root2: rootAt(6) })).toBe(false);
    expect(verifyConsistency({ ...same, path: [rootAt(5)] })).toBe(false);
  });

  it('refuses what is no size or hash', () => {
    const proof = consistencyOf(3, 7);
    const refused: Partial<ConsistencyProof>[] = [
      { size1: 8 },
      { size1: 7, size2: 3 },
      { size1: 2.5 },
      { size2: 2 ** 64 },
      { size2: 2n ** 64n },
      { size1: -3 },
      { root1: new Uint8Array(0) },
      { root2: new Uint8Array(0) },
      { path: [new Uint8Array(0), ...proof.path.slice(1)] },
    ];
    for (const change of refused) expect(verifyConsistency({ ...proof, ...change })).toBe(false);
  });
});
