import type { EnclaveFault, Platform, PlatformLabel, VerificationStep } from '../../domain/enclave/events.ts';
import type { ExecutionRecord, RunOutcome } from '../../domain/proof/record.ts';
import type { Table } from '../table.ts';

export interface EnclaveRow {
  readonly enclaveId: string;
  readonly providerId: string;
  readonly owner: string;
  readonly submitter: string;
  readonly jobId: string | null;
  readonly platform: Platform;
  readonly codeHash: string;
  readonly memoryMb: number;
  readonly cpuCores: number;
  readonly state:
    | 'initializing'
    | 'created'
    | 'attested'
    | 'running'
    | 'finished'
    | 'destroying'
    | 'terminated'
    | 'error';
  /** Decided by the root that verified the report; null before. */
  readonly label: PlatformLabel | null;
  readonly enclaveKey: string | null;
  readonly reportHash: string | null;
  readonly measurement: string | null;
  readonly nonce: string | null;
  /** Verdict of every step of the attestation that was accepted or refused. */
  readonly steps: readonly VerificationStep[];
  readonly requestedAt: string;
  readonly attestedAt: string | null;
  /** End of the attestation once there is one, before that of the lifetime. */
  readonly expiresAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly proofId: string | null;
  readonly outcome: RunOutcome | null;
  readonly exitCode: number | null;
  readonly outputHash: string | null;
  readonly resources: ExecutionRecord['resources'] | null;
  readonly fault: EnclaveFault | null;
  readonly code: string | null;
  readonly message: string | null;
  /** Whether the platform confirmed that nothing of it is left; null before its end. */
  readonly destroyed: boolean | null;
  readonly position: string;
}

export const enclavesTable: Table<EnclaveRow> = {
  name: 'enclaves',
  key: ['enclaveId'],
  columns: {
    enclaveId: 'text',
    providerId: 'text',
    owner: 'text',
    submitter: 'text',
    jobId: 'text',
    platform: 'text',
    codeHash: 'text',
    memoryMb: 'integer',
    cpuCores: 'integer',
    state: 'text',
    label: 'text',
    enclaveKey: 'text',
    reportHash: 'text',
    measurement: 'text',
    nonce: 'text',
    steps: 'json',
    requestedAt: 'instant',
    attestedAt: 'instant',
    expiresAt: 'instant',
    startedAt: 'instant',
    finishedAt: 'instant',
    proofId: 'text',
    outcome: 'text',
    exitCode: 'integer',
    outputHash: 'text',
    resources: 'json',
    fault: 'text',
    code: 'text',
    message: 'text',
    destroyed: 'boolean',
    position: 'position',
  },
  indexes: [['jobId'], ['state'], ['providerId', 'requestedAt']],
};
