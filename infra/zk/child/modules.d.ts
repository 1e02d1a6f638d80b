/** The parts used here of packages that ship no types. Files are paths, bytes, or memory of their own kind. */
type SnarkFile = string | Uint8Array | { type: 'mem'; data?: Uint8Array };

declare module 'snarkjs' {
  interface Log {
    debug(message: string): void;
    info(message: string): void;
    warn(message: string): void;
    error(message: string): void;
  }
  interface Curve {
    terminate(): Promise<void>;
  }
  export const curves: { getCurveFromName(name: 'bn128'): Promise<Curve> };
  export const groth16: {
    prove(zkey: SnarkFile, witness: SnarkFile): Promise<{ proof: object; publicSignals: string[] }>;
    fullProve(input: object, wasm: SnarkFile, zkey: SnarkFile): Promise<object>;
    verify(key: object, publicSignals: readonly string[], proof: object): Promise<boolean>;
  };
  export const wtns: {
    calculate(input: object, wasm: SnarkFile, witness: SnarkFile): Promise<void>;
    check(r1cs: SnarkFile, witness: SnarkFile, log: Log): Promise<boolean>;
  };
  export const zKey: {
    /** Answers with the circuit's hash, or -1 after telling the log what is wrong. */
    newZKey(r1cs: SnarkFile, ptau: SnarkFile, zkey: SnarkFile, log: Log): Promise<Uint8Array | -1>;
    contribute(from: SnarkFile, to: SnarkFile, name: string, entropy: string): Promise<Uint8Array>;
    beacon(from: SnarkFile, to: SnarkFile, name: string, hex: string, power: number): Promise<Uint8Array>;
    verifyFromR1cs(r1cs: SnarkFile, ptau: SnarkFile, zkey: SnarkFile, log: Log): Promise<boolean>;
    exportVerificationKey(zkey: SnarkFile): Promise<Record<string, unknown>>;
  };
}

declare module 'circom2' {
  export class CircomRunner {
    constructor(options: {
      args: readonly string[];
      env: Record<string, string>;
      preopens: Record<string, string>;
      bindings: object;
    });
    execute(wasm: Uint8Array): Promise<unknown>;
  }
  export const bindings: object;
}

declare module 'circomlibjs' {
  interface Field {
    e(value: bigint | string): Uint8Array;
    toObject(value: Uint8Array): bigint;
  }
  type FieldPoint = [Uint8Array, Uint8Array];
  interface Poseidon {
    (inputs: readonly bigint[]): Uint8Array;
    F: Field;
  }
  interface Eddsa {
    F: Field;
    prv2pub(key: Uint8Array): FieldPoint;
    signPoseidon(key: Uint8Array, message: Uint8Array): { R8: FieldPoint; S: bigint };
  }
  export function buildPoseidon(): Promise<Poseidon>;
  export function buildEddsa(): Promise<Eddsa>;
}
