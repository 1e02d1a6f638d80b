import { utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson } from '../json.ts';
import type { Observer } from './observer.ts';
import type { SlaJudgement } from './sla.ts';

/** What an observer saw at one beat. `maintenance`: declared to it before that beat. `unobserved`: its own gap. */
export const SAMPLE_STATES = ['up', 'down', 'maintenance', 'unobserved'] as const;
export type SampleState = (typeof SAMPLE_STATES)[number];

/** Equal samples in a row. */
export interface SampleRun {
  readonly state: SampleState;
  /** At least 1. */
  readonly count: number;
}

/**
 * What is measured, over which window and what follows, fixed before the first sample: every signature covers it, so
 * neither window, target nor observers can be chosen by the outcome.
 */
export interface SlaTerms {
  readonly providerId: string;
  /** Hex Ed25519 key of the provider's node. */
  readonly providerKey: string;
  readonly jobId: string | null;
  /** Target, between 0 and 1. */
  readonly availability: number;
  /** The heartbeat period is part of an SLA: a longer one proves less. */
  readonly periodSeconds: number;
  /** Begin of the first beat. */
  readonly from: string;
  /** Beats of the window. */
  readonly slots: number;
  readonly observers: readonly Observer[];
  /** Observers that must agree on a beat: more than half of them. */
  readonly quorum: number;
  /** The verdict from which on credits are due. */
  readonly creditOn: 'over-budget' | 'breach-proven';
}

/** Samples of one observer from one beat on, signed by it. */
export interface SampleReport {
  /** Hex key of the observer. */
  readonly observer: string;
  readonly firstSlot: number;
  readonly runs: readonly SampleRun[];
  /** Base64url Ed25519 signature over `sampleStatement`. */
  readonly signature: string;
}

/** What the proof claims; everything in it follows from the reports. */
export interface SlaRecord {
  readonly proofType: 'proof_of_sla_compliance';
  readonly version: 1;
  readonly terms: SlaTerms;
  /** Hex root of the RFC 6962 tree over the reports in the order of the terms' observers, then of time. */
  readonly merkleRoot: string;
  readonly judgement: SlaJudgement;
}

/** A proof by value: `proofId` is `proof-` and the ULID form of SHA-256(canonical record). */
export interface SlaProof {
  readonly proofId: string;
  readonly record: SlaRecord;
  readonly reports: readonly SampleReport[];
}

const SIGNING_DOMAIN = 'aivillage-sla-samples-v1\n';

/** The bytes an observer signs. @param terms hex hash of the terms (`hashOfJson`). */
export const sampleStatement = (
  terms: string,
  { observer, firstSlot, runs }: Omit<SampleReport, 'signature'>,
): Uint8Array => utf8ToBytes(SIGNING_DOMAIN + canonicalJson({ terms, observer, firstSlot, runs }));
