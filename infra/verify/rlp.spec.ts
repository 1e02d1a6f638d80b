import { hexToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedError } from './der.ts';
import { decodeRlp, encodeRlp, type RlpItem, unsignedBytes } from './rlp.ts';

const item: fc.Arbitrary<RlpItem> = fc.letrec<{ item: RlpItem; bytes: Uint8Array; list: RlpItem[] }>(
  (tie) => ({
    item: fc.oneof({ maxDepth: 3 }, tie('bytes'), tie('list')),
    bytes: fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.uint8Array({ minLength: 50, maxLength: 300 })),
    list: fc.array(tie('item'), { maxLength: 5 }),
  }),
).item;

describe('RLP', () => {
  it.each([
    // Examples of the Ethereum documentation.
    ['83646f67', new TextEncoder().encode('dog')],
    ['c88363617483646f67', [new TextEncoder().encode('cat'), new TextEncoder().encode('dog')]],
    ['80', new Uint8Array()],
    ['c0', []],
    ['0f', Uint8Array.of(15)],
    ['820400', Uint8Array.of(4, 0)],
    ['c7c0c1c0c3c0c1c0', [[], [[]], [[], [[]]]]],
  ] as [string, RlpItem][])('%s', (hex, value) => {
    expect(decodeRlp(hexToBytes(hex))).toEqual(value);
    expect(encodeRlp(value)).toEqual(hexToBytes(hex));
  });

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(item, (value) => {
        expect(decodeRlp(encodeRlp(value))).toEqual(value);
      }),
    );
  });

  it('has one encoding: what is read is written the same, anything else is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          expect(encodeRlp(decodeRlp(bytes))).toEqual(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it.each(['', '8180'.slice(0, 2), '8101', 'b80100', 'b90001', 'bf01', '8080', 'c1', 'c28080ff', 'ff01'])(
    'refuses %j',
    (hex) => expect(() => decodeRlp(hexToBytes(hex))).toThrow(MalformedError),
  );

  it('refuses what nests without end', () => {
    const deep = Array.from({ length: 40 }).reduce<RlpItem>((inner) => [inner], []);
    expect(() => decodeRlp(encodeRlp(deep))).toThrow(MalformedError);
  });

  it('writes numbers without leading zeros', () => {
    expect(unsignedBytes(0n)).toEqual(new Uint8Array());
    expect(unsignedBytes(1024n)).toEqual(Uint8Array.of(4, 0));
  });
});
