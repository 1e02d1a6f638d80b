import type { PlatformLabel, VerificationStep } from '../enclave/events.ts';
import type { ExecutionProof } from './record.ts';

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

export type ProofEvent = ProofRecorded;
