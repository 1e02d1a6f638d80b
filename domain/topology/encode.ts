/** Encodings in which no two different lists of fields look alike: each is of fixed length or says its length. */

const LONGEST_TEXT = 0xffff;

const encoder = new TextEncoder();

/** An unsigned 64-bit big-endian integer. @throws RangeError outside 0 … 2^53 − 1. */
export const u64 = (value: number): Uint8Array => {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not an unsigned integer: ${value}`);
  const bytes = new Uint8Array(8);
  for (let index = 7, rest = value; rest > 0; index--) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
};

/** UTF-8 after its length as a 16-bit big-endian integer. @throws RangeError beyond 65,535 bytes. */
export const text = (value: string): Uint8Array => {
  const content = encoder.encode(value);
  if (content.length > LONGEST_TEXT) throw new RangeError('a text field has at most 65,535 bytes');
  const bytes = new Uint8Array(2 + content.length);
  bytes[0] = content.length >> 8;
  bytes[1] = content.length & 0xff;
  bytes.set(content, 2);
  return bytes;
};

/** Bytes whose length is part of the format. @throws RangeError on another length. */
export const fixed = (value: Uint8Array, length: number): Uint8Array => {
  if (value.length !== length) throw new RangeError(`${length} bytes, not ${value.length}`);
  return value;
};

/** The fields one after another. */
export const joined = (...fields: readonly Uint8Array[]): Uint8Array => {
  let length = 0;
  for (const field of fields) length += field.length;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const field of fields) {
    bytes.set(field, offset);
    offset += field.length;
  }
  return bytes;
};
