/** Jobs of the child process. It alone loads circom, snarkjs and circomlibjs, whose licence is GPL-3.0. */
export interface Jobs {
  /** Compiles `source` into `directory`: circuit.r1cs and circuit.wasm. */
  readonly compile: {
    readonly job: {
      readonly type: 'compile';
      readonly source: string;
      /** Folders that `include` may read, in the order of their search. */
      readonly includes: readonly string[];
      readonly directory: string;
    };
    readonly result: Compiled;
  };
  /** Makes proving.zkey in `directory` from the circuit.r1cs there; answers with all that is published of it. */
  readonly setUp: {
    readonly job: {
      readonly type: 'set-up';
      readonly directory: string;
      readonly ptau: string;
      readonly contributor: string;
    };
    readonly result: SetUp & {
      /** Hex BLAKE2b-512 of the constraint system that the key is for. */
      readonly circuitHash: string;
    };
  };
  /** Adds a contribution to a key, or closes it with a public beacon; checks the whole chain from the circuit on. */
  readonly contribute: {
    readonly job: {
      readonly type: 'contribute';
      readonly r1cs: string;
      readonly ptau: string;
      readonly from: string;
      readonly to: string;
      readonly contributor: string;
      /** Hex; absent for a secret contribution. */
      readonly beacon?: string;
    };
    readonly result: SetUp;
  };
  readonly prove: {
    readonly job: {
      readonly type: 'prove';
      readonly wasm: string;
      readonly zkey: string;
      readonly input: CircuitInput;
    };
    readonly result: Proved;
  };
  /** Whether the input fulfils the circuit: every assertion and every constraint. */
  readonly check: {
    readonly job: {
      readonly type: 'check';
      readonly wasm: string;
      readonly r1cs: string;
      readonly input: CircuitInput;
    };
    readonly result: { readonly satisfied: boolean };
  };
  readonly poseidon: {
    readonly job: { readonly type: 'poseidon'; readonly inputs: readonly bigint[] };
    readonly result: bigint;
  };
  readonly issuerKey: {
    readonly job: { readonly type: 'issuer-key'; readonly seed: Uint8Array };
    readonly result: readonly [bigint, bigint];
  };
  /** EdDSA-Poseidon over Poseidon(inputs): R8.x, R8.y, S. */
  readonly sign: {
    readonly job: { readonly type: 'sign'; readonly seed: Uint8Array; readonly inputs: readonly bigint[] };
    readonly result: readonly [bigint, bigint, bigint];
  };
}

export type CircuitInput = Readonly<Record<string, bigint | readonly bigint[]>>;

export interface Compiled {
  readonly constraints: number;
  readonly publicInputs: number;
}

export interface Contribution {
  readonly name: string;
  /** Hex BLAKE2b-512 of its public part. */
  readonly hash: string;
}

export interface SetUp {
  readonly contribution: Contribution;
  /** The key was checked, contribution by contribution, against constraint system and powers of tau. */
  readonly verified: boolean;
  /** In the JSON form of snarkjs. */
  readonly verificationKey: Readonly<Record<string, unknown>>;
}

export type Proved =
  | { readonly satisfied: true; readonly proof: object; readonly publicInputs: readonly string[] }
  | { readonly satisfied: false };

export type Job = Jobs[keyof Jobs]['job'];
export type ResultOf<J extends Job> = Extract<
  Jobs[keyof Jobs],
  { readonly job: { readonly type: J['type'] } }
>['result'];

export interface Request {
  readonly id: number;
  readonly job: Job;
}

export type Reply =
  | { readonly id: number; readonly type: 'progress'; readonly step: string }
  | { readonly id: number; readonly type: 'result'; readonly result: unknown }
  | { readonly id: number; readonly type: 'failed'; readonly message: string };
