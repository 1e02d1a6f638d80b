import { mulAddUnsafe } from '@noble/curves/abstract/curve.js';
import { ed25519, ed25519_hasher } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { ecvrfProve, vrfKey } from '../../../domain/vrf/prove.ts';
import { type EcvrfInput, ecvrfVerify } from '../../../infra/verify/index.ts';
import { type Case, cpuTime } from '../harness.ts';

const { Point } = ed25519;
const UNIT = 'CPU ms';
const SAMPLE_MS = 200;

/** The suite of the topology, over an input as long as an epoch's. */
const SUITE = 'edwards25519-ell2';
const DST = concatBytes(utf8ToBytes('ECVRF_edwards25519_XMD:SHA-512_ELL2_NU_'), Uint8Array.of(4));

/**
 * A proof and its verification beside the bare curve operations that they consist of: the same scalar multiplications and
 * one hash to the curve, by the fastest means the library has for each.
 */
export const ecvrfCases = (): Case[] => {
  const key = vrfKey(sha512(utf8ToBytes('bench')).subarray(0, 32));
  const alpha = sha512(utf8ToBytes('alpha'));
  const { proof } = ecvrfProve(SUITE, key, alpha);
  const input: EcvrfInput = { suite: SUITE, publicKey: key.publicKey, alpha, proof };
  if (!ecvrfVerify(input)) throw new Error('a proof of ours does not verify');

  const message = concatBytes(key.publicKey, alpha);
  const toCurve = () => ed25519_hasher.encodeToCurve(message, { DST });
  const publicKey = Point.fromBytes(key.publicKey);
  const gamma = Point.fromBytes(proof.subarray(0, 32));
  const challenge = Point.Fn.fromBytes(concatBytes(proof.subarray(32, 48), new Uint8Array(16)));
  const response = Point.Fn.fromBytes(proof.subarray(48));

  const prove = () => {
    const h = toCurve();
    h.multiply(key.scalar);
    h.multiply(response);
    Point.BASE.multiply(response);
  };
  const verify = () => {
    const h = toCurve();
    Point.BASE.multiplyUnsafe(response).subtract(publicKey.multiplyUnsafe(challenge));
    mulAddUnsafe(Point, [h, gamma.negate()], [response, challenge]);
  };

  return [
    {
      name: 'ecvrf-prove',
      unit: UNIT,
      ours: () => cpuTime(SAMPLE_MS, () => ecvrfProve(SUITE, key, alpha)),
      baseline: () => cpuTime(SAMPLE_MS, prove),
    },
    {
      name: 'ecvrf-verify',
      unit: UNIT,
      ours: () => cpuTime(SAMPLE_MS, () => ecvrfVerify(input)),
      baseline: () => cpuTime(SAMPLE_MS, verify),
    },
  ];
};
