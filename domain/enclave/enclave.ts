import type { ErrorCode } from '../errors.ts';
import type { ExecutionProof } from '../proof/record.ts';
import type {
  EnclaveAttestationRenewed,
  EnclaveAttested,
  EnclaveConfig,
  EnclaveFailed,
  EnclaveFault,
  EnclaveRequested,
  FaultCause,
  Platform,
  PlatformLabel,
  Reservation,
  WorkOrder,
} from './events.ts';
import type { Rent } from './rent.ts';

/** State of an enclave, folded from its events. */
export interface Enclave {
  readonly enclaveId: string;
  readonly providerId: string;
  readonly owner: string;
  readonly submitter: string;
  readonly jobId: string | null;
  readonly platform: Platform;
  readonly codeHash: string;
  readonly config: EnclaveConfig;
  readonly allowSimulated: boolean;
  readonly reservation?: Reservation;
  readonly rent?: Rent;
  /** What is paid for of a rented one: from its first attestation, or its request, to the end that was no failure. */
  readonly rented?: { readonly from: string; readonly to?: string };
  readonly requestedAt: string;
  readonly expiresAt: string;
  readonly enclaveKey: string | null;
  readonly attestation: Omit<EnclaveAttested, 'type' | 'steps'> | null;
  readonly work: WorkOrder | null;
  readonly result: {
    readonly proof: Pick<ExecutionProof, 'proofId' | 'record'>;
    readonly missedHeartbeats: number;
    readonly missedInAll?: number;
    /** By the engine's clock (settled 43); since machine version 3. */
    readonly startedAt?: string;
    readonly finishedAt?: string;
  } | null;
  readonly failure: {
    readonly fault: EnclaveFault;
    readonly cause?: FaultCause;
    readonly code: ErrorCode;
    readonly message: string;
    /** Revision of the failing event: the evidence a slash cites. */
    readonly revision: number;
  } | null;
  readonly label: PlatformLabel | null;
  readonly destroyReason: string;
  /** Events so far; the next one's revision. */
  readonly events: number;
}

export const blank: Enclave = {
  enclaveId: '',
  providerId: '',
  owner: '',
  submitter: '',
  jobId: null,
  platform: 'amd_sev_snp',
  codeHash: '',
  config: { memoryMb: 0, cpuCores: 0, allowDebug: false },
  allowSimulated: false,
  requestedAt: '',
  expiresAt: '',
  enclaveKey: null,
  attestation: null,
  work: null,
  result: null,
  failure: null,
  label: null,
  destroyReason: '',
  events: 0,
};

export const requested = ({ type: _, machineVersion: __, ...facts }: EnclaveRequested): Enclave => ({
  ...blank,
  ...facts,
  events: 1,
});

/** The newest attestation counts, the first or a renewed one. */
export const attested = (
  enclave: Enclave,
  { type: _, steps: __, ...facts }: EnclaveAttested | EnclaveAttestationRenewed,
): Partial<Enclave> => ({
  attestation: facts,
  label: facts.label,
  ...(enclave.rent && !enclave.rented && { rented: { from: facts.attestedAt } }),
  events: enclave.events + 1,
});

/** The end of a rented enclave's time. */
export const rentedTo = ({ rented }: Enclave, to: string | undefined): Partial<Enclave> =>
  rented && to !== undefined ? { rented: { ...rented, to } } : {};

/**
 * What is paid for of an enclave that was ended before it stood: its place was kept from the request on. Without it, who
 * creates and ends enclaves one after the other would keep places for nothing. What its node failed of says no end.
 */
export const cutShort = ({ rent, rented, requestedAt }: Enclave, event: EnclaveFailed): Partial<Enclave> =>
  rent && !rented && event.fault === 'stopped' && event.endedAt !== undefined
    ? { rented: { from: requestedAt, to: event.endedAt } }
    : {};

export const failed = (enclave: Enclave, event: EnclaveFailed): Partial<Enclave> => ({
  failure: {
    fault: event.fault,
    ...(event.cause && { cause: event.cause }),
    code: event.code,
    message: event.message,
    revision: enclave.events,
  },
  destroyReason: event.code,
  ...rentedTo(enclave, event.endedAt),
  events: enclave.events + 1,
});
