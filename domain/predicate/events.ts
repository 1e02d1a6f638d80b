import type { ErrorCode } from '../errors.ts';
import type { Shape } from './ir.ts';
import type { Transcript } from './transcript.ts';

/** A predicate asked for a circuit that has no key yet. Literals never get here: they are public inputs of each proof. */
export interface PredicateRequested {
  readonly type: 'predicate.requested';
  readonly machineVersion: number;
  readonly circuitId: string;
  readonly shape: Shape;
  /** Estimated; the caps were judged by it. */
  readonly constraints: number;
  readonly publicInputs: number;
  readonly requestedBy: string;
  readonly requestedAt: string;
}

export interface PredicateCompiled {
  readonly type: 'predicate.compiled';
  readonly r1csHash: string;
  readonly wasmHash: string;
  readonly constraints: number;
  readonly publicInputs: number;
  readonly compiledAt: string;
}

/** The key was made and checked; its files are artefacts under the hashes of the transcript. */
export interface PredicateKeyMade {
  readonly type: 'predicate.key-made';
  /** In the JSON form of snarkjs. */
  readonly verificationKey: Readonly<Record<string, unknown>>;
  readonly transcript: Transcript;
  readonly madeAt: string;
}

export interface PredicateFailed {
  readonly type: 'predicate.failed';
  readonly code: ErrorCode;
  readonly message: string;
}

export type PredicateEvent = PredicateRequested | PredicateCompiled | PredicateKeyMade | PredicateFailed;
