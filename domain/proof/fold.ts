import type { PlatformLabel } from '../enclave/events.ts';
import type { ProofEvent } from './events.ts';
import type { ExecutionProof } from './record.ts';

export interface ProofState {
  readonly proof: ExecutionProof | null;
  readonly valid: boolean;
  readonly label: PlatformLabel | null;
}

export const noProof: ProofState = { proof: null, valid: false, label: null };

export const evolveProof = (_: ProofState, event: ProofEvent): ProofState => ({
  proof: event.proof,
  valid: event.valid,
  label: event.label,
});
