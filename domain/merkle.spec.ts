import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyRoot, leafHash, merkleTree, nodeHash, rootFromPath } from './merkle.ts';

/** RFC 6962 §2.1 word by word, as slow as it is written there. */
const naiveRoot = (entries: readonly Uint8Array[]): Uint8Array => {
  if (entries.length === 0) return sha256(new Uint8Array(0));
  if (entries.length === 1) return sha256(concatBytes(Uint8Array.of(0), entries[0] as Uint8Array));
  let split = 1;
  while (split * 2 < entries.length) split *= 2;
  return sha256(
    concatBytes(Uint8Array.of(1), naiveRoot(entries.slice(0, split)), naiveRoot(entries.slice(split))),
  );
};

/** The eight entries of the Certificate Transparency test tree and its root. */
const REFERENCE = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const REFERENCE_ROOT = '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328';

const entries = (count: number) => Array.from({ length: count }, (_, index) => utf8ToBytes(`entry ${index}`));

describe('the tree of RFC 6962', () => {
  it('has the published roots', () => {
    expect(bytesToHex(emptyRoot())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(bytesToHex(merkleTree([]).root)).toBe(bytesToHex(emptyRoot()));
    const tree = merkleTree(REFERENCE.map((entry) => leafHash(hexToBytes(entry))));
    expect(bytesToHex(tree.root)).toBe(REFERENCE_ROOT);
  });

  it('is the naive tree for every size up to 300, and every path leads to its root', () => {
    for (let size = 1; size <= 300; size++) {
      const all = entries(size);
      const leaves = all.map((entry) => leafHash(entry));
      const tree = merkleTree(leaves);
      expect(bytesToHex(tree.root)).toBe(bytesToHex(naiveRoot(all)));
      for (let index = 0; index < size; index += size < 40 ? 1 : 37) {
        const root = rootFromPath(leaves[index] as Uint8Array, BigInt(index), BigInt(size), tree.path(index));
        expect(root && bytesToHex(root)).toBe(bytesToHex(tree.root));
      }
    }
  });

  it('refuses a path of another length, place or size, and a hash that is none', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 80 }), fc.nat(), fc.nat(), (size, nth, other) => {
        const leaves = entries(size).map((entry) => leafHash(entry));
        const tree = merkleTree(leaves);
        const index = nth % size;
        const leaf = leaves[index] as Uint8Array;
        const path = tree.path(index);
        const leads = (at: bigint, of: bigint, along: readonly Uint8Array[], from = leaf) => {
          const root = rootFromPath(from, at, of, along);
          return root !== null && bytesToHex(root) === bytesToHex(tree.root);
        };
        expect(leads(BigInt(index), BigInt(size), path)).toBe(true);
        expect(leads(BigInt(index), BigInt(size), path.slice(1))).toBe(false);
        expect(leads(BigInt(index), BigInt(size), [...path, emptyRoot()])).toBe(false);
        expect(leads(BigInt(index), BigInt(size), [new Uint8Array(0), ...path.slice(1)])).toBe(false);
        expect(leads(BigInt(index), BigInt(size), path, new Uint8Array(0))).toBe(false);
        expect(leads(BigInt(size), BigInt(size), path)).toBe(false);
        expect(leads(-1n, BigInt(size), path)).toBe(false);
        const elsewhere = other % size;
        if (elsewhere !== index) expect(leads(BigInt(elsewhere), BigInt(size), path)).toBe(false);
      }),
    );
    expect(() => merkleTree(entries(3).map((entry) => leafHash(entry))).path(3)).toThrow(RangeError);
  });

  it('keeps leaves and nodes apart', () => {
    const [a, b] = entries(2).map((entry) => leafHash(entry)) as [Uint8Array, Uint8Array];
    expect(bytesToHex(nodeHash(a, b))).not.toBe(bytesToHex(leafHash(concatBytes(a, b))));
  });
});
