import { hash } from 'node:crypto';

/** Block and digest of SHA-256, bytes. */
const BLOCK = 64;
const DIGEST = 32;
/** What a message may have for its digest to be made in place, bytes; most have a few hundred. */
const ROOM = 16_384;

/**
 * HMAC-SHA-256 (RFC 2104) by a key of at most 64 bytes, over the parts of a message in their order; a text stands for its
 * UTF-8. Two digests of one call each, over bytes that are laid out in place, cost a fifth of what `createHmac` does for
 * messages of a few hundred bytes.
 */
export const hmacSha256 = (key: Uint8Array): ((message: readonly (string | Uint8Array)[]) => Buffer) => {
  if (key.length > BLOCK) throw new RangeError('the key is longer than a block');
  const padded = (pad: number, room: number): Buffer =>
    Buffer.alloc(room).map((_, at) => (at < BLOCK ? (key[at] ?? 0) ^ pad : 0)) as Buffer;
  const inner = padded(0x36, BLOCK + ROOM);
  const outer = padded(0x5c, BLOCK + DIGEST);

  /** The inner block and the message behind it. */
  const laidOut = (message: readonly (string | Uint8Array)[]): Uint8Array => {
    let most = 0;
    // A UTF-16 unit takes three bytes at most.
    for (const part of message) most += typeof part === 'string' ? 3 * part.length : part.length;
    if (most > ROOM)
      return Buffer.concat([
        inner.subarray(0, BLOCK),
        ...message.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)),
      ]);
    let end = BLOCK;
    for (const part of message) {
      if (typeof part === 'string') end += inner.write(part, end);
      else {
        inner.set(part, end);
        end += part.length;
      }
    }
    return inner.subarray(0, end);
  };

  return (message) => {
    outer.set(hash('sha256', laidOut(message), 'buffer'), BLOCK);
    return hash('sha256', outer, 'buffer');
  };
};
