import type { PlatformLabel, VerificationStep } from '../enclave/events.ts';
import type { AvailabilityRecord } from './availability-record.ts';
import type { ExecutionProof } from './record.ts';
import type { SlaRecord } from './sla-record.ts';

/** A proof entered the log together with the verdict of every step at that time. */
export interface ProofRecorded {
  readonly type: 'proof.recorded';
  readonly machineVersion: number;
  readonly proof: ExecutionProof;
  readonly label: PlatformLabel;
  readonly valid: boolean;
  readonly steps: readonly VerificationStep[];
  readonly recordedAt: string;
}

/** Facts of a proof that rests on observers. What it is made of may hold parts of an artefact, so it is one itself. */
interface ObservedProofRecorded {
  readonly machineVersion: number;
  readonly proofId: string;
  /** Artefact that holds the whole proof: hex SHA-256 of its canonical JSON. */
  readonly evidence: string;
  readonly steps: readonly VerificationStep[];
  readonly recordedAt: string;
}

export interface AvailabilityRecorded extends ObservedProofRecorded {
  readonly type: 'proof.availability-recorded';
  readonly record: AvailabilityRecord;
}

export interface SlaComplianceRecorded extends ObservedProofRecorded {
  readonly type: 'proof.sla-compliance-recorded';
  readonly record: SlaRecord;
}

export type ProofEvent = ProofRecorded | AvailabilityRecorded | SlaComplianceRecorded;
