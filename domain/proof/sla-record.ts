import { utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson } from '../json.ts';
import type { AlertSeverity } from './error-budget.ts';
import type { Observer } from './observer.ts';

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

/**
 * `met`: within the budget. `breach-proven`: the exact one-sided 95 % test excludes the target.
 * `credit-due-breach-unproven`: over the budget, and the test does not exclude the target.
 * `not-yet-provable`: fewer samples than a claim without a single miss would take; a short outage early in a window
 * misses many beats in a row, which a test of independent beats would take for a breach.
 */
export type SlaConclusion = 'met' | 'credit-due-breach-unproven' | 'breach-proven' | 'not-yet-provable';

/** What the samples of a window amount to. Every figure follows from terms and samples. */
export interface SlaJudgement {
  readonly verdict: SlaConclusion;
  /** Of the fee, by the steps of settled 21; 0 unless the verdict is one on which the terms give a credit. */
  readonly creditPercent: number;
  /** Beats on which enough observers agree; `missed` of them were down. */
  readonly samples: number;
  readonly missed: number;
  /** Beats in maintenance declared ahead, and beats that too few observers could judge: neither counts. */
  readonly maintenance: number;
  readonly unobserved: number;
  readonly samplesNeeded: number;
  /** Downtime that the target leaves to the window, and downtime seen, in seconds. */
  readonly budgetSeconds: number;
  readonly missedSeconds: number;
  /** Burn rates at the end of the window, by length of the span looked at. */
  readonly burnRates: readonly { readonly seconds: number; readonly rate: number }[];
  readonly alert: AlertSeverity | null;
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
