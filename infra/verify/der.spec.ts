import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { der, integer, oid, sequence } from '../tee/simulated/der.ts';
import { derReader, derSingle, derSmallInteger, MalformedError, oidText, TAG } from './der.ts';

describe('DER', () => {
  it('reads what the writer wrote, at every length form', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.nat({ max: 300 }), fc.constantFrom(127, 128, 255, 256, 65_535, 65_536)),
        (length) => {
          const body = new Uint8Array(length).fill(7);
          const element = derSingle(der(0x04, body), TAG.octetString);
          expect(Buffer.from(element.body)).toEqual(Buffer.from(body));
        },
      ),
    );
  });

  it('reads integers and object identifiers back', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 2 ** 31 - 1 }),
        fc.array(fc.nat({ max: 2 ** 40 }), { maxLength: 6 }),
        (value, arcs) => {
          const bytes = Buffer.alloc(4);
          bytes.writeUInt32BE(value);
          expect(derSmallInteger(integer(bytes))).toBe(value);
          const dotted = ['2', '39', ...arcs].join('.');
          expect(oidText(derSingle(oid(dotted), TAG.oid).body)).toBe(dotted);
        },
      ),
    );
  });

  it('refuses what is not minimal, whole or single', () => {
    const malformed = (...bytes: number[]) =>
      expect(() => derSingle(Uint8Array.from(bytes))).toThrow(MalformedError);
    malformed();
    malformed(0x04);
    malformed(0x04, 0x81);
    malformed(0x04, 0x80, 0, 0);
    malformed(0x04, 0x81, 0x01, 7);
    malformed(0x04, 0x82, 0x00, 0x80);
    malformed(0x04, 0x02, 7);
    malformed(0x04, 0x01, 7, 7);
    malformed(0x1f, 0x01, 7);
    for (const bytes of [
      [2, 1, 0x80],
      [2, 2, 0, 1],
      [2, 0],
      [2, 5, 1, 0, 0, 0, 0],
    ])
      expect(() => derSmallInteger(Uint8Array.from(bytes))).toThrow(MalformedError);
  });

  it('throws nothing but MalformedError, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const reader = derReader(sequence(bytes));
        try {
          const inner = derReader(reader.next().body);
          while (inner.peek() !== null) oidText(inner.next().body);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError);
        }
      }),
    );
  });
});
