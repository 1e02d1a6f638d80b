import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { zKey } from 'snarkjs';
import { createLog } from './log.ts';
import type { Jobs, SetUp } from './protocol.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Iterations of a beacon, as a power of two. */
const BEACON_POWER = 10;

const published = async (
  { r1cs, ptau, zkey }: { r1cs: string; ptau: string; zkey: string },
  contribution: SetUp['contribution'],
  progress: (step: string) => void,
): Promise<SetUp> => {
  const { log, errors } = createLog();
  progress('checking the key');
  if (!(await zKey.verifyFromR1cs(r1cs, ptau, zkey, log))) {
    throw new Error(`the key does not belong to its circuit: ${errors.join('; ')}`);
  }
  const verificationKey = await zKey.exportVerificationKey(zkey);
  return { contribution, verified: true, verificationKey };
};

/**
 * Phase two of Groth16 for one circuit. The secret of the contribution is made here and forgotten here: whoever could
 * have kept it could forge, which is why such a key is labelled single-party.
 */
export const setUp = async (
  { directory, ptau, contributor }: Jobs['setUp']['job'],
  progress: (step: string) => void,
): Promise<Jobs['setUp']['result']> => {
  const file = (name: string) => join(directory, name);
  const [r1cs, initial, zkey] = [file('circuit.r1cs'), file('initial.zkey'), file('proving.zkey')];
  const { log, errors } = createLog();
  progress('making the key');
  const circuit = await zKey.newZKey(r1cs, ptau, initial, log);
  if (circuit === -1) throw new Error(`no key for this circuit: ${errors.join('; ')}`);
  progress('contributing');
  const hash = await zKey.contribute(initial, zkey, contributor, randomBytes(64).toString('hex'));
  await rm(initial);
  const made = await published({ r1cs, ptau, zkey }, { name: contributor, hash: hex(hash) }, progress);
  return { ...made, circuitHash: hex(circuit) };
};

export const contribute = async (
  { r1cs, ptau, from, to, contributor, beacon }: Jobs['contribute']['job'],
  progress: (step: string) => void,
): Promise<SetUp> => {
  progress('contributing');
  const hash =
    beacon === undefined
      ? await zKey.contribute(from, to, contributor, randomBytes(64).toString('hex'))
      : await zKey.beacon(from, to, contributor, beacon, BEACON_POWER);
  return published({ r1cs, ptau, zkey: to }, { name: contributor, hash: hex(hash) }, progress);
};
