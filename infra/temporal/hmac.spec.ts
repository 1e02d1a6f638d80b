import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hmacSha256 } from './hmac.ts';

test.each([
  ['0b'.repeat(20), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [
    '4a656665',
    'what do ya want for nothing?',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
])('RFC 4231: by the key %s', (key, message, expected) => {
  expect(hmacSha256(Buffer.from(key, 'hex'))([Buffer.from(message)]).toString('hex')).toBe(expected);
});

test('it is what node computes, however the message is cut', () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.array(bytes), (key, parts) => {
      const expected = createHmac('sha256', key).update(Buffer.concat(parts)).digest();
      expect(hmacSha256(key)(parts)).toEqual(expected);
    }),
  );
  expect(() => hmacSha256(new Uint8Array(65))).toThrow(RangeError);
});
