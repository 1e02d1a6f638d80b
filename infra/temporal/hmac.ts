import { hash } from 'node:crypto';

/** Block of SHA-256, bytes. */
const BLOCK = 64;

/**
 * HMAC-SHA-256 (RFC 2104) by a key of at most 64 bytes, over the parts of a message in their order. Two digests of one
 * call each cost a third of what `createHmac` does for messages of a few hundred bytes.
 */
export const hmacSha256 = (key: Uint8Array): ((message: readonly Uint8Array[]) => Buffer) => {
  if (key.length > BLOCK) throw new RangeError('the key is longer than a block');
  const padded = (pad: number): Uint8Array => new Uint8Array(BLOCK).map((_, at) => (key[at] ?? 0) ^ pad);
  const [inner, outer] = [padded(0x36), padded(0x5c)];
  return (message) => {
    const digest = hash('sha256', Buffer.concat([inner, ...message]), 'buffer');
    return hash('sha256', Buffer.concat([outer, digest]), 'buffer');
  };
};
