import { assign, cancel, raise, setup } from 'xstate';
import type { ErrorCode } from '../errors.ts';
import { type DeadlineRaised, effect } from '../lifecycle.ts';
import type { ExecutionProof } from '../proof/record.ts';
import { msBetween } from '../time.ts';
import type {
  EnclaveAttested,
  EnclaveConfig,
  EnclaveEvent,
  EnclaveFailed,
  EnclaveFault,
  EnclaveRequested,
  Platform,
  PlatformLabel,
  WorkOrder,
} from './events.ts';

export const ENCLAVE_VERSION = 1;

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
  readonly requestedAt: string;
  readonly expiresAt: string;
  readonly enclaveKey: string | null;
  readonly attestation: Omit<EnclaveAttested, 'type' | 'steps'> | null;
  readonly work: WorkOrder | null;
  readonly result: {
    readonly proof: Pick<ExecutionProof, 'proofId' | 'record'>;
    readonly missedHeartbeats: number;
  } | null;
  readonly failure: {
    readonly fault: EnclaveFault;
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

const blank: Enclave = {
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

const requested = ({ type: _, machineVersion: __, ...facts }: EnclaveRequested): Enclave => ({
  ...blank,
  ...facts,
  events: 1,
});

const attested = (enclave: Enclave, { type: _, steps: __, ...facts }: EnclaveAttested): Partial<Enclave> => ({
  attestation: facts,
  label: facts.label,
  events: enclave.events + 1,
});

const failed = (enclave: Enclave, event: EnclaveFailed): Partial<Enclave> => ({
  failure: { fault: event.fault, code: event.code, message: event.message, revision: enclave.events },
  destroyReason: event.code,
  events: enclave.events + 1,
});

/**
 * An enclave on one node: created, attested, given one piece of work, destroyed. Whatever goes wrong, it is destroyed
 * before anybody is told (saga compensation, R39).
 */
export const enclaveMachine = setup({
  types: { context: {} as Enclave, events: {} as EnclaveEvent | DeadlineRaised },
  actors: {
    createOnNode: effect<{ enclave: Enclave }>(),
    attest: effect<{ enclave: Enclave }>(),
    runOnNode: effect<{ enclave: Enclave }>(),
    destroyOnNode: effect<{ enclave: Enclave }>(),
  },
  delays: { lifetime: ({ context }) => msBetween(context.requestedAt, context.expiresAt) },
}).createMachine({
  id: 'enclave',
  initial: 'new',
  context: blank,
  states: {
    new: {
      on: {
        'enclave.requested': { target: 'initializing', actions: assign(({ event }) => requested(event)) },
      },
    },
    initializing: {
      invoke: { id: 'create', src: 'createOnNode', input: ({ context }) => ({ enclave: context }) },
      on: {
        'enclave.created': {
          target: 'created',
          actions: assign(({ context, event }) => ({
            enclaveKey: event.enclaveKey,
            events: context.events + 1,
          })),
        },
        'enclave.failed': {
          target: 'destroying',
          actions: assign(({ context, event }) => failed(context, event)),
        },
      },
    },
    created: {
      invoke: { id: 'attest', src: 'attest', input: ({ context }) => ({ enclave: context }) },
      on: {
        'enclave.attested': {
          target: 'attested',
          actions: assign(({ context, event }) => attested(context, event)),
        },
        'enclave.failed': {
          target: 'destroying',
          actions: assign(({ context, event }) => failed(context, event)),
        },
      },
    },
    attested: {
      tags: ['report'],
      entry: raise({ type: 'deadline', id: 'expiry' }, { id: 'expiry', delay: 'lifetime' }),
      exit: cancel('expiry'),
      on: {
        'enclave.run-started': {
          target: 'running',
          actions: assign(({ context, event }) => ({ work: event.work, events: context.events + 1 })),
        },
        'enclave.failed': {
          target: 'destroying',
          actions: assign(({ context, event }) => failed(context, event)),
        },
      },
    },
    running: {
      invoke: { id: 'run', src: 'runOnNode', input: ({ context }) => ({ enclave: context }) },
      on: {
        'enclave.run-finished': {
          target: 'finished',
          actions: assign(({ context, event }) => ({
            result: { proof: event.proof, missedHeartbeats: event.missedHeartbeats },
            destroyReason: 'work done',
            events: context.events + 1,
          })),
        },
        'enclave.failed': {
          target: 'destroying',
          actions: assign(({ context, event }) => failed(context, event)),
        },
      },
    },
    finished: {
      tags: ['report'],
      invoke: { id: 'destroy', src: 'destroyOnNode', input: ({ context }) => ({ enclave: context }) },
      on: { 'enclave.destroyed': 'terminated' },
    },
    destroying: {
      invoke: { id: 'destroy', src: 'destroyOnNode', input: ({ context }) => ({ enclave: context }) },
      on: { 'enclave.destroyed': 'error' },
    },
    terminated: { type: 'final' },
    error: { type: 'final', tags: ['report'] },
  },
});
