import type { EnclaveConfig, WorkOrder } from '../../domain/enclave/events.ts';
import type { Rejection } from '../../domain/errors.ts';
import type { ExecutionRecord, MeteredRecord } from '../../domain/proof/record.ts';

/**
 * Messages between the node and the enclave process, over Node's IPC channel (structured clone), and between that and its
 * runner, in frames over pipes: setting up a channel takes a runner half as long as starting.
 */

/** How to start a child of the sandbox; decided once by the host and handed down. */
export interface Wrapper {
  /**
   * Words before a command that make it die with its parent, and hold no right of the system's, then or by any program
   * it may execute (no_new_privs, Linux 3.5); empty where there is no such program.
   */
  readonly confined: readonly string[];
  /**
   * Words before a command that give its main thread the stack that a module may need; empty where there is no such
   * program, and modules run in a thread of their own.
   */
  readonly deepStack: readonly string[];
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
      /** The module as it was submitted; the enclave instruments it. */
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
  | { readonly type: 'loaded'; readonly enclaveKey: string; readonly minimumMemoryBytes: number }
  /** The module is none that an enclave can run. */
  | { readonly type: 'refused'; readonly rejection: Rejection }
  | {
      readonly type: 'finished';
      readonly record: ExecutionRecord;
      /** Ed25519 by the enclave key. */
      readonly signature: Uint8Array;
      readonly output: Uint8Array;
    }
  | { readonly type: 'failed'; readonly message: string };

export interface RunnerTask {
  /** Instrumented. */
  readonly code: Uint8Array;
  readonly input: Uint8Array;
  readonly args: readonly string[];
  readonly randomSeed: string;
  readonly clockStartMs: number;
  readonly memoryMb: number;
  readonly fuelLimit: number;
}

export const BYTES_PER_MB = 1024 * 1024;

/** A module that writes more has the outcome `output_limit`. */
export const MAX_OUTPUT_BYTES = 16 * BYTES_PER_MB;

const RUNNER_HEAP_MB = 64;

/**
 * Heap of the thread that runs a module with a linear memory of at most `memoryMb`. V8 counts that memory against the
 * heap's bound: above half of it every growth would wait for a full collection, hence the factor of two.
 */
export const heapMbOf = (memoryMb: number): number => 2 * memoryMb + RUNNER_HEAP_MB;

/** How a run ended by itself: all of it but `cpuMs` is a function of the task. */
export interface RunnerEnd extends Pick<MeteredRecord, 'outcome' | 'exitCode' | 'trap'> {
  /** One line on why, for outcomes other than `exited`. */
  readonly reason: string | null;
  readonly fuelUsed: number;
  readonly output: Uint8Array;
  readonly cpuMs: number;
  /** Linear memory at the end, which is its most: it never shrinks. */
  readonly memoryBytes: number;
}

/** A runner's messages. The piece behind `ended` is the output. */
export type RunnerMessage =
  | { readonly type: 'booted' }
  | { readonly type: 'ended'; readonly end: Omit<RunnerEnd, 'output'> }
  /** This machine could not run the module to an end: no outcome. */
  | { readonly type: 'failed'; readonly message: string };

/** A runner's one message from its parent, with code and input as pieces. */
export type RunnerOrder = Omit<RunnerTask, 'code' | 'input'>;

/**
 * Descriptors of a runner. The module's standard error has its own, so that it outlives a kill, and so have answers: those of
 * a process's own output a thread makes answer before they have taken everything.
 */
export const ORDER_FD = 0;
export const MODULE_STDERR_FD = 3;
export const ANSWER_FD = 4;
