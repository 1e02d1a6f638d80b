import { curves, groth16 } from 'snarkjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openGroth16py, type VerifyMany } from '../../../test/support/zk/groth16py.ts';
import {
  ALIAS_MUTATIONS,
  COORDINATE_ALIASES,
  INPUT_MUTATIONS,
  type Mutation,
  POINT_MUTATIONS,
} from '../../../test/support/zk/mutations.ts';
import { SAMPLE } from '../../../test/support/zk/sample.ts';
import { groth16Verdict } from './verify.ts';

const { verificationKey: key, publicInputs, proof } = SAMPLE;

const VALID: Mutation = { name: 'the proof itself', proof, publicInputs };
const MUTATIONS = [...INPUT_MUTATIONS, ...POINT_MUTATIONS, ...ALIAS_MUTATIONS, ...COORDINATE_ALIASES];

const ours = (one: Mutation): boolean => groth16Verdict(key, one.publicInputs, one.proof) === null;

describe('R54: an independent verifier (groth16py) agrees', () => {
  let verify: VerifyMany | string;

  beforeAll(async () => {
    verify = await openGroth16py();
    if (typeof verify === 'string') console.warn(`skipped: ${verify}`);
  });

  test('on the proof and on every mutation of it', async ({ skip }) => {
    if (typeof verify === 'string') return skip(verify);
    const all = [VALID, ...MUTATIONS];
    const theirs = await verify(all);
    const held = (verdicts: readonly boolean[]) =>
      all.filter((_, index) => verdicts[index]).map(({ name }) => name);
    expect(held(theirs)).toEqual([VALID.name]);
    expect(held(all.map(ours))).toEqual([VALID.name]);
  });
});

describe('snarkjs agrees', () => {
  afterAll(async () => {
    // Its workers would keep this process alive.
    await (await curves.getCurveFromName('bn128')).terminate();
  });

  test('on the proof and on every mutation of it', async () => {
    for (const one of [VALID, ...MUTATIONS]) {
      const theirs = await groth16.verify(key, one.publicInputs, one.proof as object).catch(() => false);
      // It reduces coordinates.
      if (!one.name.endsWith('+ q')) expect(theirs, one.name).toBe(ours(one));
    }
  });
});
