import type { DeadlineCommand } from '../decision.ts';
import type { EnclaveConfig, Platform, Reservation, WorkOrder } from './events.ts';

/** Creates and attests an enclave in one saga; what fails is destroyed first (R39). */
export interface CreateEnclave {
  readonly type: 'create';
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
  readonly lifetimeSeconds: number;
}

export interface RunEnclave {
  readonly type: 'run';
  readonly work: WorkOrder;
}

export interface DestroyEnclave {
  readonly type: 'destroy';
  readonly reason: string;
}

export type EnclaveCommand = CreateEnclave | RunEnclave | DestroyEnclave | DeadlineCommand;
