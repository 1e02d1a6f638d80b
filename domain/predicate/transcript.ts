/**
 * How far a key can be trusted: one party made it and could have kept its secret, or several contributed and a public
 * beacon closed it, so that one honest party is enough.
 */
export type SetupLabel = 'single-party-development' | 'ceremony';

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
