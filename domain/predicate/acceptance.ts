import { sha256 } from '@noble/hashes/sha2.js';
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { ulidFrom } from '../ids.ts';

/**
 * A proof that was accepted, once: by its nullifier, which its holder cannot change within a scope, and by its context,
 * which its verifier gave out once. Each has a stream of one event; both are written in one atomic step, so whichever
 * stands already refuses the proof. Nothing here tells who the holder is.
 */
export interface PredicateProofAccepted {
  readonly type: 'predicate.proof-accepted';
  readonly machineVersion: number;
  readonly circuitId: string;
  readonly scope: string;
  /** Decimal. */
  readonly nullifier: string;
  /** Hash of the context, decimal as in the public inputs. */
  readonly context: string;
  readonly verifier: string;
  readonly acceptedAt: string;
}

/** The context was used by the proof of that stream. */
export interface PredicateContextUsed {
  readonly type: 'predicate.context-used';
  readonly machineVersion: number;
  readonly context: string;
  readonly acceptance: string;
  readonly verifier: string;
}

export type AcceptanceEvent = PredicateProofAccepted | PredicateContextUsed;

const stream = (what: 'nullifier' | 'context', ...parts: readonly string[]): string =>
  `acceptance-${ulidFrom(sha256(utf8ToBytes(['aivillage-acceptance', what, ...parts].join('\n'))))}`;

/** Stream of the proof with this nullifier; the scope as the field element that is in the proof. */
export const nullifierStream = (scope: bigint, nullifier: string): string =>
  stream('nullifier', String(scope), nullifier);

/** Stream of the use of a context, given by its field element. */
export const contextStream = (context: bigint): string => stream('context', String(context));

/** Stream of a circuit. @throws RangeError unless `circuitId` is hex of at least 17 bytes. */
export const circuitStream = (circuitId: string): string => `predicate-${ulidFrom(hexToBytes(circuitId))}`;

export type Acceptance = AcceptanceEvent | null;

export const evolveAcceptance = (_: Acceptance, event: AcceptanceEvent): Acceptance => event;
