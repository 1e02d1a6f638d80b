import { utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson } from '../json.ts';
import type { Observer } from './observer.ts';

/** What is kept by whom, how often that is asked and who asks: fixed before the first challenge. */
export interface AvailabilityTerms {
  readonly providerId: string;
  /** Hex Ed25519 key of the node that keeps the chunks. */
  readonly providerKey: string;
  readonly jobId: string | null;
  /** Hex SHA-256 of the artefact and its size in bytes. */
  readonly artifact: string;
  readonly size: number;
  /** Bytes of each chunk but the last. */
  readonly chunkBytes: number;
  /** Hex RFC 6962 root over the chunks. */
  readonly chunkRoot: string;
  readonly chunksPerRound: number;
  readonly rounds: number;
  /** Begin of the first round; the others follow every `everySeconds`. */
  readonly from: string;
  readonly everySeconds: number;
  /** An answer later than this after its challenge is none. */
  readonly deadlineSeconds: number;
  /** Share of the rounds that must pass, in (0, 1]. */
  readonly minimumShare: number;
  readonly observers: readonly Observer[];
  /** Observers that must agree on a round: more than half of them. */
  readonly quorum: number;
}

/** A signed head of the log, unknown before it was signed: what the chunks of a round are drawn from. */
export interface Beacon {
  /** Decimal. */
  readonly size: string;
  /** Hex. */
  readonly root: string;
}

export interface ChunkOpening {
  readonly index: number;
  /** Base64url. */
  readonly chunk: string;
  /** Hex hashes from the chunk's sibling up. */
  readonly path: readonly string[];
}

/** The chunks of a round in the order drawn, signed by the node that keeps them. */
export interface Answer {
  readonly openings: readonly ChunkOpening[];
  /** Base64url Ed25519 signature over `answerStatement`. */
  readonly signature: string;
}

/** What an observer saw of a round. `unobserved`: it did not ask, and both times are null. */
export interface Receipt {
  /** Hex key of the observer. */
  readonly observer: string;
  readonly outcome: 'answered' | 'silent' | 'unobserved';
  readonly askedAt: string | null;
  /** Null unless answered. */
  readonly answeredAt: string | null;
  /** Base64url Ed25519 signature over `receiptStatement`. */
  readonly signature: string;
}

export interface AvailabilityRound {
  readonly beacon: Beacon;
  /** Null where no observer got one. */
  readonly answer: Answer | null;
  /** One of each observer, in the order of the terms. */
  readonly receipts: readonly Receipt[];
}

/**
 * `available` and `unavailable` hold whatever the unobserved rounds were; where those decide, it is
 * `not-yet-provable`.
 */
export type AvailabilityConclusion = 'available' | 'unavailable' | 'not-yet-provable';

export interface AvailabilityJudgement {
  readonly verdict: AvailabilityConclusion;
  readonly passed: number;
  readonly failed: number;
  /** Rounds that too few observers could judge. */
  readonly unobserved: number;
}

/** What the proof claims; everything in it follows from the rounds. */
export interface AvailabilityRecord {
  readonly proofType: 'proof_of_availability';
  readonly version: 1;
  readonly terms: AvailabilityTerms;
  /** Hex root of the RFC 6962 tree over the rounds in order. */
  readonly merkleRoot: string;
  readonly judgement: AvailabilityJudgement;
}

/** A proof by value: `proofId` is `proof-` and the ULID form of SHA-256(canonical record). */
export interface AvailabilityProof {
  readonly proofId: string;
  readonly record: AvailabilityRecord;
  readonly rounds: readonly AvailabilityRound[];
}

/** A challenge: the terms by their hash (`hashOfJson`), the number of the round from 0, and what it is drawn from. */
export interface Challenge {
  readonly terms: string;
  readonly round: number;
  readonly beacon: Beacon;
}

/** The bytes that the node signs. */
export const answerStatement = (challenge: Challenge, openings: readonly ChunkOpening[]): Uint8Array =>
  utf8ToBytes(`aivillage-availability-answer-v1\n${canonicalJson({ challenge, openings })}`);

/** The bytes that an observer signs. @param answer hex hash of the answer it got (`hashOfJson`), null for none. */
export const receiptStatement = (
  challenge: Challenge,
  answer: string | null,
  { observer, outcome, askedAt, answeredAt }: Omit<Receipt, 'signature'>,
): Uint8Array =>
  utf8ToBytes(
    `aivillage-availability-receipt-v1\n${canonicalJson({ challenge, answer, observer, outcome, askedAt, answeredAt })}`,
  );
