import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { ulidFrom } from '../ids.ts';
import type { Micro } from '../money.ts';

/** What a provider owes the submitter of a job under its SLA grew, or some of it was paid. One stream a job and provider. */
export interface SlaCreditGranted {
  readonly type: 'sla.credit-granted';
  readonly machineVersion: number;
  readonly jobId: string;
  readonly providerId: string;
  readonly owner: string;
  readonly submitter: string;
  /** Proof of SLA compliance that shows the breach, and what it gives back, in percent of the fee. */
  readonly proofId: string;
  readonly creditPercent: number;
  /** What the provider was promised for the job, and what the settlement paid it of that. */
  readonly fee: Micro;
  readonly earned: Micro;
  /** All that is due by the proofs so far, and what of it this event moves. */
  readonly due: Micro;
  readonly paid: Micro;
  /** What of `due` is still not paid: the provider's available money did not cover it. */
  readonly outstanding: Micro;
  readonly grantedAt: string;
}

export type SlaEvent = SlaCreditGranted;

export const SLA_VERSION = 1;

/** Stream of what a provider owes for one job. */
export const slaStream = (jobId: string, providerId: string): string =>
  `sla-${ulidFrom(sha256(utf8ToBytes(`aivillage-sla\n${jobId}\n${providerId}`)))}`;
