import { interleavedMSMUnsafe } from '@noble/curves/abstract/curve.js';
import { bn254 } from '@noble/curves/bn254.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson } from '../../../domain/json.ts';
import { MalformedError } from '../der.ts';
import { type G1, g1, g2, list } from './numbers.ts';

/** A verification key in the JSON form of snarkjs; the product of alpha and beta it also holds is not needed. */
export interface VerificationKey {
  readonly protocol: 'groth16';
  readonly curve: 'bn128';
  readonly nPublic: number;
  readonly vk_alpha_1: readonly string[];
  readonly vk_beta_2: readonly (readonly string[])[];
  readonly vk_gamma_2: readonly (readonly string[])[];
  readonly vk_delta_2: readonly (readonly string[])[];
  readonly IC: readonly (readonly string[])[];
}

type Lines = ReturnType<typeof bn254.utils.calcPairingPrecomputes>;
type Target = ReturnType<typeof bn254.pairing>;

/** What a key's many proofs have in common, computed once. */
export interface PreparedKey {
  readonly publicInputs: number;
  readonly alphaBeta: Target;
  readonly gamma: Lines;
  readonly delta: Lines;
  /** IC[0] + Σ inputs[i] · IC[i + 1]. */
  readonly combine: (inputs: readonly bigint[]) => G1;
}

/** Most public inputs of a key. */
const MAX_PUBLIC_INPUTS = 1_024;
/** Window of the tables of multiples: 8 points each. */
const WINDOW = 5;
/** Keys in use at one time. */
const PREPARED_KEYS = 32;

const prepared = new Map<string, PreparedKey>();

const MEMBERS = [
  'protocol',
  'curve',
  'nPublic',
  'vk_alpha_1',
  'vk_beta_2',
  'vk_gamma_2',
  'vk_delta_2',
  'IC',
] as const;

/** The members of a key that decide what it accepts. @throws MalformedError */
export const essential = (key: unknown): VerificationKey => {
  if (typeof key !== 'object' || key === null) throw new MalformedError('not a verification key');
  const found = Object.fromEntries(MEMBERS.map((name) => [name, (key as Record<string, unknown>)[name]]));
  if (found['protocol'] !== 'groth16' || found['curve'] !== 'bn128') {
    throw new MalformedError('not a key of Groth16 over BN254');
  }
  return found as unknown as VerificationKey;
};

const textOf = (key: VerificationKey): string => {
  try {
    return canonicalJson(key);
  } catch {
    throw new MalformedError('not JSON');
  }
};

/** Hex SHA-256 of the canonical JSON of a key's essential members: its name everywhere. @throws MalformedError */
export const keyHashOf = (key: unknown): string => bytesToHex(sha256(utf8ToBytes(textOf(essential(key)))));

/** Checks every point of a key and prepares it; the newest keys are kept. @throws MalformedError */
export const prepare = (key: unknown): PreparedKey => {
  const members = essential(key);
  const name = textOf(members);
  const known = prepared.get(name);
  // A key that is used moves to the end.
  prepared.delete(name);
  const ready = known ?? build(members);
  prepared.set(name, ready);
  if (prepared.size > PREPARED_KEYS) prepared.delete(prepared.keys().next().value as string);
  return ready;
};

const build = (key: VerificationKey): PreparedKey => {
  const [first, ...rest] = list(key.IC, { limit: MAX_PUBLIC_INPUTS + 1 }).map(g1);
  if (!first || key.nPublic !== rest.length) throw new MalformedError('IC has another length');
  const multiply = interleavedMSMUnsafe(bn254.G1.Point, rest, WINDOW);
  const { calcPairingPrecomputes } = bn254.utils;
  return {
    publicInputs: rest.length,
    alphaBeta: bn254.pairing(g1(key.vk_alpha_1), g2(key.vk_beta_2)),
    gamma: calcPairingPrecomputes(g2(key.vk_gamma_2)),
    delta: calcPairingPrecomputes(g2(key.vk_delta_2)),
    combine: (inputs) => first.add(multiply([...inputs])),
  };
};
