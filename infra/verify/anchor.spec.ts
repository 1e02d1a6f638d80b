import { keccak_256 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { receiptTrie } from '../anchor/receipt-trie.ts';
import { AT, BLOCK, blockWith, TIMESTAMP, word } from './anchor.fixture.ts';
import { type AnchorInput, verifyAnchor } from './anchor.ts';
import { encodeRlp } from './rlp.ts';

const GOOD = blockWith();
const code = (input: AnchorInput) => {
  const verdict = verifyAnchor(input);
  return verdict.valid ? 'VALID' : verdict.code;
};
const withEvidence = (change: Partial<AnchorInput['evidence']>): AnchorInput => ({
  ...GOOD,
  evidence: { ...GOOD.evidence, ...change },
});

describe('an anchor', () => {
  it('is verified from a block hash alone', () => {
    expect(verifyAnchor(GOOD)).toEqual({ valid: true, block: BLOCK, timestamp: TIMESTAMP });
    expect(code({ ...GOOD, size: 300n })).toBe('VALID');
  });

  it('is refused for each reason by its own code', () => {
    const byte = new Uint8Array(32).fill(1);
    expect(code({ ...GOOD, blockHash: byte })).toBe('BLOCK_MISMATCH');
    expect(code({ ...GOOD, contract: byte.slice(0, 20) })).toBe('CONTRACT_MISMATCH');
    expect(code({ ...GOOD, origin: 'another log' })).toBe('ORIGIN_MISMATCH');
    expect(code({ ...GOOD, size: 299 })).toBe('SIZE_MISMATCH');
    expect(code({ ...GOOD, root: byte })).toBe('ROOT_MISMATCH');
    expect(code(withEvidence({ receiptIndex: AT + 1 }))).toBe('RECEIPT_NOT_IN_BLOCK');
    expect(code(withEvidence({ logIndex: 0 }))).toBe('EVENT_NOT_FOUND');
    expect(code(withEvidence({ logIndex: 2 }))).toBe('EVENT_NOT_FOUND');
    expect(code(blockWith({ status: 0 }))).toBe('TRANSACTION_FAILED');
    expect(code(blockWith({ topics: [word(5n), word(6n), word(7n)] }))).toBe('EVENT_NOT_FOUND');
    expect(code({ ...GOOD, root: byte.slice(1) })).toBe('MALFORMED');
    expect(code({ ...GOOD, size: -1 })).toBe('MALFORMED');
    expect(code(withEvidence({ logIndex: 0.5 }))).toBe('MALFORMED');
  });

  it('is refused after a change of any byte of header or path', () => {
    const flipped = (bytes: Uint8Array, at: number) => bytes.with(at, (bytes[at] as number) ^ 1);
    const { header, receiptPath } = GOOD.evidence;
    for (let at = 0; at < header.length; at++)
      expect(code(withEvidence({ header: flipped(header, at) }))).toBe('BLOCK_MISMATCH');
    for (const [index, node] of receiptPath.entries())
      for (let at = 0; at < node.length; at++)
        expect(code(withEvidence({ receiptPath: receiptPath.with(index, flipped(node, at)) }))).toBe(
          'RECEIPT_NOT_IN_BLOCK',
        );
  });

  it('needs the whole path and nothing besides', () => {
    const { receiptPath } = GOOD.evidence;
    for (let length = 0; length < receiptPath.length; length++)
      expect(code(withEvidence({ receiptPath: receiptPath.slice(0, length) }))).toBe('RECEIPT_NOT_IN_BLOCK');
    const longer = [...receiptPath, receiptPath[0] as Uint8Array];
    expect(code(withEvidence({ receiptPath: longer }))).toBe('RECEIPT_NOT_IN_BLOCK');
    expect(code(withEvidence({ receiptPath: Array.from({ length: 17 }, () => new Uint8Array()) }))).toBe(
      'MALFORMED',
    );
  });

  it('never throws on foreign bytes, and accepts none, though their hashes fit', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes, fc.array(bytes, { maxLength: 4 }), fc.nat(3), (header, path, index) => {
        const evidence = { header, receiptIndex: index, receiptPath: path, logIndex: 0 };
        expect(verifyAnchor({ ...GOOD, blockHash: keccak_256(header), evidence }).valid).toBe(false);
      }),
      { numRuns: 1_000 },
    );
    fc.assert(
      fc.property(bytes, (receipt) => {
        const { root, path } = receiptTrie([receipt], 0);
        const header = encodeRlp([...Array.from({ length: 5 }, () => new Uint8Array()), root]);
        const evidence = { header, receiptIndex: 0, receiptPath: path, logIndex: 0 };
        expect(verifyAnchor({ ...GOOD, blockHash: keccak_256(header), evidence }).valid).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });
});
