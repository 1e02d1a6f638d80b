/** How a run ended. Limits are outcomes of the run, not faults of the node (settled 20). */
export type RunOutcome = 'exited' | 'time_limit' | 'memory_limit' | 'trapped';

/** What the enclave says happened; signed by the enclave key over its canonical JSON. */
export interface ExecutionRecord {
  readonly proofType: 'proof_of_execution';
  readonly version: 1;
  readonly jobId: string | null;
  readonly enclaveId: string;
  readonly providerId: string;
  readonly moduleHash: string;
  readonly args: readonly string[];
  readonly inputHash: string;
  readonly outcome: RunOutcome;
  /** WASI exit code; null unless `outcome` is `exited`. */
  readonly exitCode: number | null;
  readonly outputHash: string;
  readonly outputBytes: number;
  /** Last part of standard error, at most 2,048 characters: how a submitter learns why. */
  readonly stderrTail: string;
  readonly resources: {
    readonly cpuMs: number;
    readonly wallMs: number;
    readonly peakMemoryBytes: number;
  };
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Hex SHA-256 of the attestation report under which the key was accepted. */
  readonly reportHash: string;
}

/**
 * A proof by value. `proofId` is `proof-` and the ULID form of SHA-256(canonical record): the same id with another body
 * cannot verify. `report`, `nonce` and `enclaveKey` let a stranger check that the key lives in the measured enclave.
 */
export interface ExecutionProof {
  readonly proofId: string;
  readonly record: ExecutionRecord;
  /** Hex Ed25519 public key of the enclave. */
  readonly enclaveKey: string;
  /** Base64url Ed25519 signature over `aivillage-proof-of-execution-v1\n` ‖ canonical record. */
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
