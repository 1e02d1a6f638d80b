/** How a run ended under the rules before metering; records of version 1. Time was the node's, not the module's. */
export const UNMETERED_OUTCOMES = ['exited', 'time_limit', 'memory_limit', 'trapped'] as const;

/**
 * How a metered run ended (settled 44): but for `time_limit`, a function of module, input and limits on every honest
 * machine.
 *
 * - `exited`: by itself, with a code.
 * - `trapped`: by a fault of its own, of a kind of `TRAPS`.
 * - `fuel_limit`: it used more fuel than its order allows; the fuel on record is the limit.
 * - `stack_limit`: its calls nested deeper than the counted stack holds.
 * - `memory_limit`: it trapped after the enclave's bound had refused its newest request for memory. A program that takes
 *   the refusal and ends with a code has `exited`.
 * - `output_limit`: it wrote more than 16 MiB to standard output.
 * - `time_limit`: it was not done within the time of its order, the one end that depends on the machine. Whether that is
 *   the module's doing, says known work that was done beside it (`domain/enclave/pace.ts`).
 * - `cancelled`: the engine ended it.
 */
export const RUN_OUTCOMES = [
  'exited',
  'trapped',
  'fuel_limit',
  'stack_limit',
  'memory_limit',
  'output_limit',
  'time_limit',
  'cancelled',
] as const;

export type RunOutcome = (typeof UNMETERED_OUTCOMES)[number] | (typeof RUN_OUTCOMES)[number];

/** Kinds of traps, in words that no engine chose (WebAssembly 2.0, section 4.4). */
export const TRAPS = [
  'unreachable',
  /** Of the memory, or of a data segment. */
  'memory_out_of_bounds',
  /** Of a table, or of an element segment. */
  'table_out_of_bounds',
  'divide_by_zero',
  'integer_overflow',
  /** A float that is no number, or too large for the integer it was to become. */
  'invalid_conversion',
  /** An indirect call of nothing, or of a function of another type. */
  'indirect_call_mismatch',
] as const;
export type Trap = (typeof TRAPS)[number];

interface RecordFacts {
  readonly proofType: 'proof_of_execution';
  readonly jobId: string | null;
  readonly enclaveId: string;
  readonly providerId: string;
  /** Hex SHA-256 of the module as it was submitted. */
  readonly moduleHash: string;
  readonly args: readonly string[];
  readonly inputHash: string;
  /** WASI exit code; null unless `outcome` is `exited`. */
  readonly exitCode: number | null;
  readonly outputHash: string;
  readonly outputBytes: number;
  /** Last part of standard error, at most 2,048 characters: how a submitter learns why. */
  readonly stderrTail: string;
  readonly resources: {
    readonly cpuMs: number;
    readonly wallMs: number;
    /** Linear memory of a metered run; all of its process where the time limit stopped it. */
    readonly peakMemoryBytes: number;
    /** Fuel a second of known work that was done beside a run which its time limit stopped; of no other run. */
    readonly probedFuelPerSecond?: number;
  };
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Hex SHA-256 of the attestation report under which the key was accepted. */
  readonly reportHash: string;
}

export interface UnmeteredRecord extends RecordFacts {
  readonly version: 1;
  readonly outcome: (typeof UNMETERED_OUTCOMES)[number];
}

export interface MeteredRecord extends RecordFacts {
  readonly version: 2;
  readonly outcome: (typeof RUN_OUTCOMES)[number];
  /** Null unless `outcome` is `trapped`. */
  readonly trap: Trap | null;
  /** Work as counted by metering: equal on every machine, and not known of a run that its time limit stopped. */
  readonly fuel: { readonly used: number | null; readonly limit: number };
  /** What ran in truth: the module instrumented by this version. Whoever has the module can make it anew. */
  readonly metering: { readonly version: number; readonly moduleHash: string };
}

/** What the enclave says happened; signed by the enclave key over its canonical JSON. */
export type ExecutionRecord = UnmeteredRecord | MeteredRecord;

/**
 * A proof by value. `proofId` is `proof-` and the ULID form of SHA-256(canonical record): the same id with another body
 * cannot verify. `report`, `nonce` and `enclaveKey` let a stranger check that the key lives in the measured enclave.
 */
export interface ExecutionProof {
  readonly proofId: string;
  readonly record: ExecutionRecord;
  /** Hex Ed25519 public key of the enclave. */
  readonly enclaveKey: string;
  /** Base64url Ed25519 signature over `aivillage-proof-of-execution-v<record's version>\n` ‖ canonical record. */
  readonly signature: string;
  readonly attestation: {
    /** Base64url SEV-SNP report. */
    readonly report: string;
    /** Hex 32-byte nonce of the attestation. */
    readonly nonce: string;
    /** Hex SHA-384 of the module: with `config` it gives the measurement, so a stranger needs no module to check it. */
    readonly moduleSha384: string;
    readonly config: { readonly memoryMb: number; readonly cpuCores: number; readonly allowDebug: false };
    /** Base64url DER: the chip's certificate, then the chain up to the root. */
    readonly certificates: readonly string[];
    /** As in the evidence: absent when the report itself measures the module. */
    readonly binding?: 'host';
  };
}
