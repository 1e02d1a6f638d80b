import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeRlp, unsignedBytes } from '../verify/rlp.ts';
import { trieValue } from '../verify/trie.ts';
import { receiptTrie } from './receipt-trie.ts';

const keyOf = (index: number) => encodeRlp(unsignedBytes(BigInt(index)));

it('every receipt is found by its path under the root, and no other', () => {
  // Below 32 bytes nodes stand in their parents; beyond 128 receipts keys have two bytes.
  const receipts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(receipts, fc.nat(), (values, seed) => {
      const index = seed % values.length;
      const { root, path } = receiptTrie(values, index);
      expect(trieValue(root, keyOf(index), path)).toEqual(values[index]);
      expect(receiptTrie(values, 0).root).toEqual(root);
      for (const other of [index + 1, values.length]) {
        const found = (() => {
          try {
            return trieValue(root, keyOf(other), path);
          } catch {
            return null;
          }
        })();
        if (found !== null) expect(found).toEqual(values[other]);
      }
    }),
    { numRuns: 60 },
  );
});
