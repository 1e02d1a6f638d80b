/** Names of a circuit's files, wherever they lie. */
export const CIRCUIT_FILES = {
  r1cs: 'circuit.r1cs',
  wasm: 'circuit.wasm',
  zkey: 'proving.zkey',
} as const;
