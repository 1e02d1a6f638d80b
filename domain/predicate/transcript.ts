/**
 * How far a key can be trusted, named after the weakest of its two steps: one party made it and could have kept its
 * secret; several contributed to it and a public beacon closed it, but on powers of tau whose secret one party could have
 * kept; several made both, so that one honest party in each is enough.
 */
export const SETUP_LABELS = [
  'single-party-development',
  'ceremony-on-development-powers-of-tau',
  'ceremony',
] as const;
export type SetupLabel = (typeof SETUP_LABELS)[number];

export interface SetupContribution {
  readonly name: string;
  /** Hex BLAKE2b-512 of its public part. */
  readonly hash: string;
}

/** Everything a stranger needs to repeat the checks of a set-up. Hashes are hex SHA-256 unless said otherwise. */
export interface Transcript {
  readonly setup: SetupLabel;
  readonly curve: 'bn254';
  readonly protocol: 'groth16';
  readonly circuitId: string;
  readonly sourceHash: string;
  readonly templatesHash: string;
  readonly compiler: string;
  readonly circomlibHash: string;
  readonly prover: string;
  readonly powersOfTau: { readonly power: number; readonly sha256: string };
  readonly r1csHash: string;
  /** Hex BLAKE2b-512 of the constraint system as snarkjs hashes it. */
  readonly circuitHash: string;
  readonly contributions: readonly SetupContribution[];
  /** Hex of the public beacon that closed the contributions, or null. */
  readonly beacon: string | null;
  /** The key was checked against constraint system and powers of tau. */
  readonly verified: boolean;
  readonly wasmHash: string;
  readonly zkeyHash: string;
  readonly keyHash: string;
}
