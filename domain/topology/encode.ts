import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/** Encodings in which no two different lists of fields look alike: each is of fixed length or says its length. */

const LONGEST_TEXT = 0xffff;

/** An unsigned 64-bit big-endian integer. @throws RangeError outside 0 … 2^53 − 1. */
export const u64 = (value: number): Uint8Array => {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not an unsigned integer: ${value}`);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
};

/** UTF-8 after its length as a 16-bit big-endian integer. @throws RangeError beyond 65,535 bytes. */
export const text = (value: string): Uint8Array => {
  const bytes = utf8ToBytes(value);
  if (bytes.length > LONGEST_TEXT) throw new RangeError('a text field has at most 65,535 bytes');
  return concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);
};

/** Bytes whose length is part of the format. @throws RangeError on another length. */
export const fixed = (value: Uint8Array, length: number): Uint8Array => {
  if (value.length !== length) throw new RangeError(`${length} bytes, not ${value.length}`);
  return value;
};
