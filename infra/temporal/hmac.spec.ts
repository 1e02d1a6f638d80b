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

test('it is what node computes, however the message is cut, whatever was computed before', () => {
  const short = fc.uint8Array({ maxLength: 200 });
  const long = fc.integer({ min: 5_000, max: 9_000 }).map((size) => new Uint8Array(size).fill(size));
  const part = fc.oneof(short, long, fc.string({ unit: 'binary', maxLength: 3_000 }));
  const messages = fc.array(fc.array(part, { maxLength: 5 }), { maxLength: 4 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), messages, (key, all) => {
      const mac = hmacSha256(key);
      const macs = all.map((message) => mac(message).toString('hex'));
      const expected = all.map((message) => {
        const hmac = createHmac('sha256', key);
        for (const each of message) hmac.update(typeof each === 'string' ? Buffer.from(each) : each);
        return hmac.digest('hex');
      });
      expect(macs).toEqual(expected);
    }),
  );
  expect(() => hmacSha256(new Uint8Array(65))).toThrow(RangeError);
});
