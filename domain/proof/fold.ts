import type { PlatformLabel } from '../enclave/events.ts';
import type { AvailabilityRecord } from './availability-record.ts';
import type { ProofEvent } from './events.ts';
import type { ExecutionProof } from './record.ts';
import type { SlaRecord } from './sla-record.ts';

export type ProofState =
  | {
      readonly proof: ExecutionProof | null;
      readonly valid: boolean;
      readonly label: PlatformLabel | null;
    }
  | {
      readonly record: AvailabilityRecord | SlaRecord;
      /** Artefact that holds the whole proof. */
      readonly evidence: string;
      /** Only proofs that hold are recorded. */
      readonly valid: true;
    };

export const noProof: ProofState = { proof: null, valid: false, label: null };

export const evolveProof = (_: ProofState, event: ProofEvent): ProofState =>
  event.type === 'proof.recorded'
    ? { proof: event.proof, valid: event.valid, label: event.label }
    : { record: event.record, evidence: event.evidence, valid: true };
