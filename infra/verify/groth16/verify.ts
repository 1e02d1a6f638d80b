import { bn254 } from '@noble/curves/bn254.js';
import { MalformedError } from '../der.ts';
import type { Verdict } from '../steps.ts';
import { type PreparedKey, prepare } from './key.ts';
import { type G1, g1, g2, list, scalar } from './numbers.ts';

/** A proof in the JSON form of snarkjs: G2 coordinates are [c0, c1]. */
export interface Groth16Proof {
  readonly pi_a: readonly string[];
  readonly pi_b: readonly (readonly string[])[];
  readonly pi_c: readonly string[];
  readonly protocol?: string;
  readonly curve?: string;
}

interface Points {
  readonly a: G1;
  readonly b: ReturnType<typeof g2>;
  readonly c: G1;
}

const pointsOf = (proof: unknown): Points => {
  if (typeof proof !== 'object' || proof === null) throw new MalformedError('not a proof');
  const { pi_a, pi_b, pi_c, protocol = 'groth16', curve = 'bn128' } = proof as Partial<Groth16Proof>;
  if (protocol !== 'groth16' || curve !== 'bn128') throw new MalformedError('not Groth16 over BN254');
  return { a: g1(pi_a), b: g2(pi_b), c: g1(pi_c) };
};

/** e(A, B) = e(α, β) · e(Σ inputs, γ) · e(C, δ), with one final exponentiation and the key's part prepared. */
const equationHolds = (key: PreparedKey, inputs: readonly bigint[], { a, b, c }: Points): boolean => {
  const { Fp12 } = bn254.fields;
  const { calcPairingPrecomputes } = bn254.utils;
  const sum = key.combine(inputs);
  const terms = [
    [calcPairingPrecomputes(b), a],
    // A sum of zero is paired to one.
    ...(sum.is0() ? [] : [[key.gamma, sum.negate()] as const]),
    [key.delta, c.negate()],
  ] as const;
  const loop = bn254.millerLoopBatch(
    terms.map(([lines, point]) => {
      const { x, y } = point.toAffine();
      return [lines, x, y];
    }),
  );
  return Fp12.eql(Fp12.finalExponentiate(loop), key.alphaBeta);
};

const checked = <T>(read: () => T): T | null => {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
};

/**
 * Verifies a Groth16 proof over BN254. Everything is foreign JSON. Strict where reduction or leniency would give a
 * statement a second name: inputs 0 <= s < r and exactly as many as the key has, coordinates < q, points on the curve,
 * not infinity, G2 in its subgroup.
 * @returns null when the proof holds, otherwise the reason: BAD_KEY, BAD_INPUTS, BAD_PROOF_FORM or BAD_PROOF.
 */
export const groth16Verdict = (key: unknown, publicInputs: unknown, proof: unknown): Verdict => {
  const ready = checked(() => prepare(key));
  if (!ready) return 'BAD_KEY';
  const inputs = checked(() => list(publicInputs, { length: ready.publicInputs }).map(scalar));
  if (!inputs) return 'BAD_INPUTS';
  const points = checked(() => pointsOf(proof));
  if (!points) return 'BAD_PROOF_FORM';
  return equationHolds(ready, inputs, points) ? null : 'BAD_PROOF';
};
