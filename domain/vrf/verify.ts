import { mulAddUnsafe } from '@noble/curves/abstract/curve.js';
import { isBytes } from '@noble/hashes/utils.js';
import { decodeKey, decodePoint, littleEndian, ORDER, POINT_BYTES, Point } from './curve.ts';
import {
  CHALLENGE_BYTES,
  challenge,
  type EcvrfSuite,
  encodeToCurve,
  isSuite,
  outputOf,
  PROOF_BYTES,
} from './suite.ts';

export interface EcvrfInput {
  readonly suite: EcvrfSuite;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly alpha: Uint8Array;
  /** pi: 80 bytes. */
  readonly proof: Uint8Array;
}

interface DecodedProof {
  readonly gamma: Point;
  readonly c: Uint8Array;
  readonly s: bigint;
}

/** RFC 9381 §5.4.4. A scalar at or above the group order would make a second proof of the first: refused. */
const decodeProof = (proof: Uint8Array): DecodedProof | null => {
  if (proof.length !== PROOF_BYTES) return null;
  const gamma = decodePoint(proof.subarray(0, POINT_BYTES));
  const c = proof.subarray(POINT_BYTES, POINT_BYTES + CHALLENGE_BYTES);
  const s = littleEndian(proof.subarray(POINT_BYTES + CHALLENGE_BYTES));
  return gamma && s < ORDER ? { gamma, c, s } : null;
};

/**
 * ECVRF_verify (RFC 9381 §5.3) with the validation of the key (§5.4.5).
 * @returns beta (64 bytes), or null for whatever is not a valid proof: wrong bytes are an answer, never an exception.
 */
export const ecvrfVerify = (input: EcvrfInput): Uint8Array | null => {
  const { suite, publicKey, alpha, proof } = input ?? {};
  if (!isSuite(suite) || !isBytes(publicKey) || !isBytes(alpha) || !isBytes(proof)) return null;
  const key = decodeKey(publicKey);
  const decoded = decodeProof(proof);
  if (!key || !decoded) return null;
  const { gamma, c, s } = decoded;
  const h = encodeToCurve(suite, publicKey, alpha);
  if (!h) return null;
  const scalar = littleEndian(c);
  // The base has a table of its own; the other two multiples share their doublings. All scalars are public.
  const u = Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(scalar));
  const v = mulAddUnsafe(Point, [h, gamma.negate()], [s, scalar]);
  const gammaBytes = proof.subarray(0, POINT_BYTES);
  const expected = challenge(suite, [publicKey, h.toBytes(), gammaBytes, u.toBytes(), v.toBytes()]);
  return expected.every((byte, index) => byte === c[index]) ? outputOf(suite, gamma) : null;
};
