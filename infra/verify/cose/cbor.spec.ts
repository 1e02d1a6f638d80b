import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode, type Value } from '../../../test/support/attestation/cose.ts';
import { MalformedError } from '../der.ts';
import { CborTag, decodeCbor, encodeSigStructure } from './cbor.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const decoded = (text: string) => decodeCbor(hex(text));

describe('CBOR', () => {
  it('reads the examples of RFC 8949 Appendix A that its subset has', () => {
    for (const [text, value] of [
      ['00', 0],
      ['17', 23],
      ['1818', 24],
      ['1903e8', 1000],
      ['1a000f4240', 1_000_000],
      ['1bffffffffffffffff', 18446744073709551615n],
      ['3bffffffffffffffff', -18446744073709551616n],
      ['20', -1],
      ['3903e7', -1000],
      ['f4', false],
      ['f5', true],
      ['f6', null],
      ['60', ''],
      ['62c3bc', 'ü'],
      ['80', []],
      ['8301820203820405', [1, [2, 3], [4, 5]]],
      [
        'a201020304',
        new Map([
          [1, 2],
          [3, 4],
        ]),
      ],
    ] as const)
      expect(decoded(text)).toEqual(value);
    expect(decoded('4401020304')).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(decoded('c101')).toEqual(new CborTag(1, 1));
  });

  it('refuses what is not shortest, definite, known, unique, whole or single', () => {
    for (const text of [
      '',
      '1817', // 23 in two bytes
      '190018',
      '1a00001000',
      '1b0000000010000000',
      '5f42010243030405ff', // indefinite
      'bf01ff',
      'f93c00', // a float
      'fb3ff0000000000000',
      'f7', // undefined
      'f818',
      'e0',
      'a201010102', // a key twice
      'a1f401',
      'a1800f',
      '62ff', // cut off
      '61ff', // not UTF-8
      '0000',
      '81',
      '9bffffffffffffffff',
      '9a7fffffff',
      '1c',
      `${'81'.repeat(20)}00`,
      `${'c1'.repeat(20)}00`,
    ])
      expect(() => decoded(text), text).toThrow(MalformedError);
  });

  it('reads back whatever a writer wrote, and refuses it at every shorter length', () => {
    const leaf: fc.Arbitrary<Value> = fc.oneof(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.string(),
      fc.uint8Array({ maxLength: 300 }),
      fc.boolean(),
      fc.constant(null),
    );
    const { value } = fc.letrec<{ value: Value }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.array(fc.tuple(fc.nat(), tie('value')), { maxLength: 4 }).map((pairs) => new Map(pairs)),
      ),
    }));
    fc.assert(
      fc.property(value, (written) => {
        const bytes = new Uint8Array(encode(written));
        expect(decodeCbor(bytes)).toEqual(written);
        for (let length = 0; length < bytes.length; length += 1 + Math.floor(bytes.length / 50))
          expect(() => decodeCbor(bytes.subarray(0, length))).toThrow(MalformedError);
      }),
    );
  });

  it('throws nothing but MalformedError, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeCbor(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('writes the structure that a signature covers', () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array({ maxLength: 70_000 }), (text, bytes) => {
        expect(decodeCbor(encodeSigStructure([text, bytes]))).toEqual([text, bytes]);
      }),
      { numRuns: 30 },
    );
  });
});
