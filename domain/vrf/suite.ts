import { ed25519_hasher } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { decodePoint, POINT_BYTES, type Point } from './curve.ts';

/** ECVRF-EDWARDS25519-SHA512-TAI and -ELL2 (RFC 9381 §5.5): they differ in how a point is hashed to. */
export type EcvrfSuite = 'edwards25519-tai' | 'edwards25519-ell2';

const SUITE_OCTET: Readonly<Record<EcvrfSuite, number>> = { 'edwards25519-tai': 3, 'edwards25519-ell2': 4 };

export const CHALLENGE_BYTES = 16;
export const SCALAR_BYTES = 32;
export const PROOF_BYTES = POINT_BYTES + CHALLENGE_BYTES + SCALAR_BYTES;

const DOMAIN = { encode: 0x01, challenge: 0x02, output: 0x03, back: 0x00 } as const;

export const isSuite = (name: unknown): name is EcvrfSuite =>
  typeof name === 'string' && Object.hasOwn(SUITE_OCTET, name);

/** DST of the ELL2 suite: "ECVRF_" ‖ the h2c suite ‖ suite octet (RFC 9381 §5.4.1.2). */
const ELL2_DST = concatBytes(
  utf8ToBytes('ECVRF_edwards25519_XMD:SHA-512_ELL2_NU_'),
  Uint8Array.of(SUITE_OCTET['edwards25519-ell2']),
);

/** Try and increment (§5.4.1.1): each counter fails with probability 1/2, so all 256 fail once in 2^256 inputs. */
const tryAndIncrement = (salt: Uint8Array, alpha: Uint8Array): Point | null => {
  const octet = SUITE_OCTET['edwards25519-tai'];
  for (let counter = 0; counter < 256; counter++) {
    const front = Uint8Array.of(octet, DOMAIN.encode);
    const hash = sha512(concatBytes(front, salt, alpha, Uint8Array.of(counter, DOMAIN.back)));
    const point = decodePoint(hash.subarray(0, POINT_BYTES))?.clearCofactor();
    if (point && !point.is0()) return point;
  }
  return null;
};

/** H = ECVRF_encode_to_curve(salt, alpha), with the public key as salt; null where the suite finds no point. */
export const encodeToCurve = (suite: EcvrfSuite, salt: Uint8Array, alpha: Uint8Array): Point | null =>
  suite === 'edwards25519-tai'
    ? tryAndIncrement(salt, alpha)
    : ed25519_hasher.encodeToCurve(concatBytes(salt, alpha), { DST: ELL2_DST });

/** The first 16 octets of the hash over Y, H, Gamma, U and V in their encodings (§5.4.3). */
export const challenge = (suite: EcvrfSuite, encodings: readonly Uint8Array[]): Uint8Array => {
  const front = Uint8Array.of(SUITE_OCTET[suite], DOMAIN.challenge);
  return sha512(concatBytes(front, ...encodings, Uint8Array.of(DOMAIN.back))).subarray(0, CHALLENGE_BYTES);
};

/** beta: the 64-byte output that a valid proof's Gamma stands for (§5.2). */
export const outputOf = (suite: EcvrfSuite, gamma: Point): Uint8Array =>
  sha512(
    concatBytes(
      Uint8Array.of(SUITE_OCTET[suite], DOMAIN.output),
      gamma.clearCofactor().toBytes(),
      Uint8Array.of(DOMAIN.back),
    ),
  );
