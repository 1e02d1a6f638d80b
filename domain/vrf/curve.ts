import { ed25519 } from '@noble/curves/ed25519.js';

export const { Point } = ed25519;
export type Point = InstanceType<typeof Point>;

/** Order of the prime-order subgroup. */
export const ORDER = Point.Fn.ORDER;
export const POINT_BYTES = 32;

/** Strict decoding (RFC 8032 §5.1.3): the point, or null for bytes that encode none or not canonically. */
export const decodePoint = (bytes: Uint8Array): Point | null => {
  if (bytes.length !== POINT_BYTES) return null;
  try {
    return Point.fromBytes(bytes, false);
  } catch {
    // The library tells a foreign encoding by an exception; here it is an answer.
    return null;
  }
};

/** RFC 9381 §5.4.5, with the strict decoding of §5.1.3: the public key's point, or null for a key of small order. */
export const decodeKey = (bytes: Uint8Array): Point | null => {
  const point = decodePoint(bytes);
  return point && !point.isSmallOrder() ? point : null;
};

/** Little-endian octets as an integer. */
export const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
