import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { littleEndian, ORDER, Point } from './curve.ts';
import { challenge, type EcvrfSuite, encodeToCurve, outputOf } from './suite.ts';

/** A secret key made ready: the scalar, the nonce prefix and the public key of RFC 8032 §5.1.5. */
export interface VrfKey {
  readonly publicKey: Uint8Array;
  readonly scalar: bigint;
  readonly noncePrefix: Uint8Array;
}

/**
 * The VRF key of a 32-byte secret. It must sign nothing else: with the same secret under Ed25519, one signature over
 * an encoded curve point would share its nonce with a proof and give the key away.
 */
export const vrfKey = (secretKey: Uint8Array): VrfKey => {
  const { scalar, prefix, pointBytes } = ed25519.utils.getExtendedPublicKey(secretKey);
  return { publicKey: pointBytes, scalar, noncePrefix: prefix };
};

export interface VrfEvaluation {
  /** pi: Gamma ‖ c ‖ s, 80 bytes. */
  readonly proof: Uint8Array;
  /** beta: 64 bytes, the same for every proof of this key and input. */
  readonly output: Uint8Array;
}

/** What a proof is made of; only the reference vectors look at it. */
export interface VrfTranscript extends VrfEvaluation {
  readonly h: Uint8Array;
  readonly nonce: Uint8Array;
  readonly u: Uint8Array;
  readonly v: Uint8Array;
}

/**
 * ECVRF_prove (RFC 9381 §5.1), with its intermediate values. The nonce is that of RFC 8032 (§5.4.2.2).
 * @throws Error when the suite finds no point for `alpha` (TAI: once in 2^256 inputs).
 */
export const ecvrfTranscript = (suite: EcvrfSuite, key: VrfKey, alpha: Uint8Array): VrfTranscript => {
  const point = encodeToCurve(suite, key.publicKey, alpha);
  if (!point) throw new Error('no curve point for this input');
  const h = point.toBytes();
  const gamma = point.multiply(key.scalar);
  const k = littleEndian(sha512(concatBytes(key.noncePrefix, h))) % ORDER;
  const u = Point.BASE.multiply(k).toBytes();
  const v = point.multiply(k).toBytes();
  const gammaBytes = gamma.toBytes();
  const c = challenge(suite, [key.publicKey, h, gammaBytes, u, v]);
  const s = Point.Fn.toBytes((k + littleEndian(c) * key.scalar) % ORDER);
  return {
    proof: concatBytes(gammaBytes, c, s),
    output: outputOf(suite, gamma),
    h,
    nonce: Point.Fn.toBytes(k),
    u,
    v,
  };
};

/** Proof and output of `alpha` under `key`. @throws Error see `ecvrfTranscript`. */
export const ecvrfProve = (suite: EcvrfSuite, key: VrfKey, alpha: Uint8Array): VrfEvaluation => {
  const { proof, output } = ecvrfTranscript(suite, key, alpha);
  return { proof, output };
};
