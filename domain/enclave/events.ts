import type { ErrorCode } from '../errors.ts';
import type { ExecutionProof } from '../proof/record.ts';
import type { Rent } from './rent.ts';

export const PLATFORMS = ['intel_sgx', 'amd_sev_snp', 'arm_trustzone'] as const;
export type Platform = (typeof PLATFORMS)[number];

/** Decided by the root that verified the report, never by a request (settled 27). */
export type PlatformLabel = 'hardware' | 'simulated';

/** Part of the measurement, so canonical and closed. */
export interface EnclaveConfig {
  readonly memoryMb: number;
  readonly cpuCores: number;
  readonly allowDebug: false;
}

/** One step of a verification and its verdict. */
export interface VerificationStep {
  readonly step: string;
  readonly ok: boolean;
  readonly code: string;
}

/** What an enclave is asked to run. Randomness and clock are fixed so that honest nodes agree (settled 19). */
export interface WorkOrder {
  readonly args: readonly string[];
  readonly inputHash: string;
  /** Hex SHA-256 of (job, input): seeds WASI `random_get`. */
  readonly randomSeed: string;
  /** Logged start: what the module's clock begins at. */
  readonly clockStart: string;
  /** How long the node has for it: its duty, and no part of the outcome. */
  readonly timeLimitSeconds: number;
  /** Fuel that the run may use; orders from before metering have none. */
  readonly fuelLimit?: number;
}

/** The auction whose award an enclave serves: its node booked capacity under it (settled 37). */
export interface Reservation {
  readonly auctionId: string;
  /** As the auction asked for. */
  readonly tops: number;
}

export interface EnclaveRequested {
  readonly type: 'enclave.requested';
  readonly machineVersion: number;
  readonly enclaveId: string;
  readonly providerId: string;
  readonly owner: string;
  readonly submitter: string;
  readonly jobId: string | null;
  readonly platform: Platform;
  readonly codeHash: string;
  readonly config: EnclaveConfig;
  readonly allowSimulated: boolean;
  /** Of a job's enclave. */
  readonly reservation?: Reservation;
  /** Of one without a job, since machine version 3. */
  readonly rent?: Rent;
  readonly requestedAt: string;
  readonly expiresAt: string;
}

export interface EnclaveCreated {
  readonly type: 'enclave.created';
  /** Hex Ed25519 public key that only this enclave holds. */
  readonly enclaveKey: string;
}

export interface EnclaveAttested {
  readonly type: 'enclave.attested';
  readonly reportHash: string;
  readonly measurement: string;
  readonly nonce: string;
  readonly label: PlatformLabel;
  readonly steps: readonly VerificationStep[];
  readonly attestedAt: string;
  readonly expiresAt: string;
}

/** The attestation nears its end: the node is asked for a new report (machine version 2). */
export interface EnclaveRenewalStarted {
  readonly type: 'enclave.renewal-started';
  readonly startedAt: string;
}

/** A new report under a new nonce holds; it replaces the one before. */
export interface EnclaveAttestationRenewed extends Omit<EnclaveAttested, 'type'> {
  readonly type: 'enclave.attestation-renewed';
}

/**
 * Why an enclave failed, in the words that trust and money use: `declared` is a node that says in time that it cannot,
 * `stopped` is nobody's fault.
 */
export const ENCLAVE_FAULTS = ['declared', 'refusal', 'no-show', 'attestation', 'lost', 'stopped'] as const;
export type EnclaveFault = (typeof ENCLAVE_FAULTS)[number];

/** Who brought it about (settled 39, 40): only what a node caused is evidence against it. */
export const FAULT_CAUSES = ['node', 'engine', 'submitter', 'module'] as const;
export type FaultCause = (typeof FAULT_CAUSES)[number];

export interface EnclaveFailed {
  readonly type: 'enclave.failed';
  readonly fault: EnclaveFault;
  /** Absent where nobody has looked into it. */
  readonly cause?: FaultCause;
  readonly code: ErrorCode;
  readonly message: string;
  readonly steps: readonly VerificationStep[];
  /** When it was ended, of a rented one that nobody failed (machine version 3). */
  readonly endedAt?: string;
}

export interface EnclaveRunStarted {
  readonly type: 'enclave.run-started';
  readonly work: WorkOrder;
  readonly startedAt: string;
}

/** The work ended and its proof holds; the whole proof is on the stream `proof.proofId`. */
export interface EnclaveRunFinished {
  readonly type: 'enclave.run-finished';
  readonly proof: Pick<ExecutionProof, 'proofId' | 'record'>;
  /** Most in a row, and all of the run; the second is absent in events of old. */
  readonly missedHeartbeats: number;
  readonly missedInAll?: number;
  readonly finishedAt: string;
}

/** The platform confirmed that nothing of it is left, or it is past reach. Always last. */
export interface EnclaveDestroyed {
  readonly type: 'enclave.destroyed';
  readonly reason: string;
  readonly confirmed: boolean;
}

export type EnclaveEvent =
  | EnclaveRequested
  | EnclaveCreated
  | EnclaveAttested
  | EnclaveRenewalStarted
  | EnclaveAttestationRenewed
  | EnclaveFailed
  | EnclaveRunStarted
  | EnclaveRunFinished
  | EnclaveDestroyed;
