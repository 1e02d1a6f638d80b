import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ALIAS_MUTATIONS,
  COORDINATE_ALIASES,
  INPUT_MUTATIONS,
  POINT_MUTATIONS,
} from '../../../test/support/zk/mutations.ts';
import { SAMPLE } from '../../../test/support/zk/sample.ts';
import { keyHashOf } from './key.ts';
import { groth16Verdict } from './verify.ts';

const { verificationKey: key, publicInputs, proof } = SAMPLE;

describe('R54: a verdict, never an exception', () => {
  test('a proof of snarkjs holds', () => {
    expect(groth16Verdict(key, publicInputs, proof)).toBeNull();
    const { pi_a, pi_b, pi_c } = proof;
    expect(groth16Verdict(key, publicInputs, { pi_a, pi_b, pi_c })).toBeNull();
  });

  test.each(INPUT_MUTATIONS)('$name is refused', (mutation) => {
    expect(groth16Verdict(key, mutation.publicInputs, mutation.proof)).toMatch(/^(BAD_PROOF|BAD_INPUTS)$/);
  });

  test.each(POINT_MUTATIONS)('$name is refused', (mutation) => {
    expect(groth16Verdict(key, mutation.publicInputs, mutation.proof)).toMatch(/^BAD_PROOF(_FORM)?$/);
  });

  test.each([...ALIAS_MUTATIONS, ...COORDINATE_ALIASES])('$name is refused: no reduction', (mutation) => {
    expect(groth16Verdict(key, mutation.publicInputs, mutation.proof)).toMatch(/^BAD_(INPUTS|PROOF_FORM)$/);
  });

  test('a point outside the subgroup or off the curve is bad form, before any pairing', () => {
    for (const mutation of POINT_MUTATIONS.filter(({ name }) => /off the curve|subgroup|infinity/.test(name)))
      expect(groth16Verdict(key, publicInputs, mutation.proof), mutation.name).toBe('BAD_PROOF_FORM');
  });

  test('numbers have one form only', () => {
    for (const other of ['', ' 1', '+1', '-1', '01', '0x1', '1.0', '1e3', 1, 1n, null, '9'.repeat(79)])
      expect(groth16Verdict(key, publicInputs.with(0, other as string), proof)).toBe('BAD_INPUTS');
  });

  test('another key, or one that is altered or of another kind', () => {
    const members = ['vk_alpha_1', 'vk_beta_2', 'vk_gamma_2', 'vk_delta_2'] as const;
    const swapped = { ...key, vk_gamma_2: key['vk_delta_2'], vk_delta_2: key['vk_gamma_2'] };
    expect(groth16Verdict(swapped, publicInputs, proof)).toBe('BAD_PROOF');
    for (const name of members)
      expect(groth16Verdict({ ...key, [name]: [] }, publicInputs, proof)).toBe('BAD_KEY');
    const ic = key['IC'] as readonly unknown[];
    expect(groth16Verdict({ ...key, IC: ic.slice(1) }, publicInputs, proof)).toBe('BAD_KEY');
    expect(groth16Verdict({ ...key, IC: ic.toReversed() }, publicInputs, proof)).toBe('BAD_PROOF');
    for (const other of [{ protocol: 'plonk' }, { curve: 'bls12381' }, { nPublic: 3 }])
      expect(groth16Verdict({ ...key, ...other }, publicInputs, proof)).toBe('BAD_KEY');
    expect(groth16Verdict(key, publicInputs, { ...proof, protocol: 'plonk' })).toBe('BAD_PROOF_FORM');
  });

  test('foreign JSON of any shape gets a verdict', () => {
    const anything = fc.anything({ withBigInt: true, maxDepth: 4 });
    fc.assert(
      fc.property(anything, anything, anything, (a, b, c) => {
        expect(groth16Verdict(a, b, c)).toBe('BAD_KEY');
        expect(groth16Verdict(key, b, c)).toMatch(/^BAD_(INPUTS|PROOF_FORM)$/);
        expect(groth16Verdict(key, publicInputs, c)).toBe('BAD_PROOF_FORM');
        expect(groth16Verdict(key, publicInputs, { ...proof, pi_b: c })).toBe('BAD_PROOF_FORM');
      }),
      { numRuns: 300 },
    );
  });
});

test('a key is named by what decides: its members in any order, without what follows from them', () => {
  const hash = keyHashOf(key);
  expect(hash).toBe(SAMPLE.expected.context.keyHash);
  expect(keyHashOf(Object.fromEntries(Object.entries(key).toReversed()))).toBe(hash);
  expect(keyHashOf({ ...key, vk_alphabeta_12: [] })).toBe(hash);
  expect(keyHashOf({ ...key, nPublic: 3 })).not.toBe(hash);
});
