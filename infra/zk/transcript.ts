import { join } from 'node:path';
import type { Shape } from '../../domain/predicate/ir.ts';
import { circuitIdOf } from '../../domain/predicate/predicate.ts';
import type { SetupContribution, SetupLabel, Transcript } from '../../domain/predicate/transcript.ts';
import { keyHashOf } from '../verify/index.ts';
import { CIRCUIT_FILES } from './circuit-files.ts';
import { circuitSource } from './circuit-source.ts';
import { sha256, sha256OfFile } from './hashes.ts';
import type { Toolchain } from './toolchain.ts';

/** How a key came about. */
export interface MadeKey {
  readonly circuitHash: string;
  readonly contributions: readonly SetupContribution[];
  readonly beacon: string | null;
  readonly verified: boolean;
  readonly verificationKey: Readonly<Record<string, unknown>>;
}

/** What a set-up publishes. */
export interface KeyFacts {
  readonly verificationKey: Readonly<Record<string, unknown>>;
  readonly transcript: Transcript;
}

/** One honest party is enough, so it takes two of them, and a beacon that the last of them could not choose. */
export const setupLabelOf = (
  { contributions, beacon }: Pick<MadeKey, 'contributions' | 'beacon'>,
  { setup }: Pick<Toolchain['ptau'], 'setup'>,
): SetupLabel => {
  if (beacon === null || new Set(contributions.map(({ name }) => name)).size < 3)
    return 'single-party-development';
  return setup === 'ceremony' ? 'ceremony' : 'ceremony-on-development-powers-of-tau';
};

/** The transcript of the key whose files lie in `directory`. */
export const keyFactsOf = async (
  shape: Shape,
  directory: string,
  made: MadeKey,
  toolchain: Toolchain,
): Promise<KeyFacts> => {
  const hashOf = (name: string) => sha256OfFile(join(directory, name));
  const { circuitHash, contributions, beacon, verified, verificationKey } = made;
  const { templatesHash, compiler, circomlibHash, prover, ptau } = toolchain;
  return {
    verificationKey,
    transcript: {
      setup: setupLabelOf(made, ptau),
      curve: 'bn254',
      protocol: 'groth16',
      circuitId: circuitIdOf(shape),
      sourceHash: sha256(circuitSource(shape)),
      templatesHash,
      compiler,
      circomlibHash,
      prover,
      powersOfTau: { power: ptau.power, sha256: ptau.sha256 },
      r1csHash: await hashOf(CIRCUIT_FILES.r1cs),
      circuitHash,
      contributions,
      beacon,
      verified,
      wasmHash: await hashOf(CIRCUIT_FILES.wasm),
      zkeyHash: await hashOf(CIRCUIT_FILES.zkey),
      keyHash: keyHashOf(verificationKey),
    },
  };
};
