import { buildEddsa, buildPoseidon, type Eddsa, type Poseidon } from 'circomlibjs';
import type { Jobs } from './protocol.ts';

// Their tables take half a second: once, when first needed.
let poseidon: Promise<Poseidon> | undefined;
let eddsa: Promise<Eddsa> | undefined;

const hash = async (inputs: readonly bigint[]): Promise<Uint8Array> => {
  poseidon ??= buildPoseidon();
  return (await poseidon)(inputs);
};

/** Outputs are in Montgomery form until `toObject`. */
const number = async (value: Uint8Array): Promise<bigint> => {
  eddsa ??= buildEddsa();
  return (await eddsa).F.toObject(value);
};

export const poseidonOf = async ({ inputs }: Jobs['poseidon']['job']): Promise<bigint> =>
  number(await hash(inputs));

export const issuerKeyOf = async ({ seed }: Jobs['issuerKey']['job']): Promise<readonly [bigint, bigint]> => {
  eddsa ??= buildEddsa();
  const [x, y] = (await eddsa).prv2pub(seed);
  return [await number(x), await number(y)];
};

export const sign = async ({
  seed,
  inputs,
}: Jobs['sign']['job']): Promise<readonly [bigint, bigint, bigint]> => {
  eddsa ??= buildEddsa();
  const { R8, S } = (await eddsa).signPoseidon(seed, await hash(inputs));
  return [await number(R8[0]), await number(R8[1]), S];
};
