import type { EnclaveConfig, WorkOrder } from '../../domain/enclave/events.ts';
import type { ExecutionRecord, RunOutcome } from '../../domain/proof/record.ts';

/** Messages between the node, the enclave process and its runner, over Node's IPC channel (structured clone). */

/** How to start a child of the sandbox; decided once by the host and handed down. */
export interface Wrapper {
  /** Program that runs `command` and dies with its parent, as words before the command; empty where there is none. */
  readonly dieWithParent: readonly string[];
}

export interface RunOrder {
  readonly jobId: string | null;
  readonly providerId: string;
  readonly work: WorkOrder;
}

export type HostMessage =
  | {
      readonly type: 'load';
      readonly enclaveId: string;
      readonly code: Uint8Array;
      readonly config: EnclaveConfig;
      readonly wrapper: Wrapper;
    }
  | {
      readonly type: 'run';
      readonly order: RunOrder;
      readonly input: Uint8Array;
      readonly reportHash: string;
    };

export type EnclaveMessage =
  | { readonly type: 'loaded'; readonly enclaveKey: string }
  | {
      readonly type: 'finished';
      readonly record: ExecutionRecord;
      /** Ed25519 by the enclave key. */
      readonly signature: Uint8Array;
      readonly output: Uint8Array;
    }
  | { readonly type: 'failed'; readonly message: string };

export interface RunnerTask {
  readonly code: Uint8Array;
  readonly input: Uint8Array;
  readonly args: readonly string[];
  readonly randomSeed: string;
  readonly clockStartMs: number;
  readonly memoryMb: number;
}

export const BYTES_PER_MB = 1024 * 1024;

export type RunnerMessage =
  | { readonly type: 'booted' }
  | {
      readonly type: 'ended';
      readonly outcome: Exclude<RunOutcome, 'time_limit'>;
      readonly exitCode: number | null;
      /** One line on why, for outcomes other than `exited`. */
      readonly reason: string | null;
      readonly output: Uint8Array;
      readonly cpuMs: number;
      readonly memoryBytes: number;
    };

/** Descriptor on which a runner writes the module's standard error, so that it outlives a kill. */
export const MODULE_STDERR_FD = 4;
