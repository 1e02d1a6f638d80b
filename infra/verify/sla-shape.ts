import { SAMPLE_STATES, type SampleReport, type SlaProof } from '../../domain/proof/sla-record.ts';
import { observerMembers } from './observers.ts';
import {
  amount,
  base64Url,
  type Check,
  closed,
  exactly,
  hex,
  instant,
  listOf,
  orNull,
  text,
  whole,
  within,
} from './shape.ts';

/** A month of beats one second apart. */
const MOST_SLOTS = 31 * 86_400;
const MOST_REPORTS = 256;
const MOST_RUNS = 4096;

const target: Check = (value) => typeof value === 'number' && value >= 0.5 && value < 1;

const terms = closed({
  providerId: text,
  providerKey: hex(32),
  jobId: orNull(text),
  availability: target,
  periodSeconds: within(1, 300),
  from: instant,
  slots: within(1, MOST_SLOTS),
  ...observerMembers,
  creditOn: exactly('over-budget', 'breach-proven'),
});

const judgement = closed({
  verdict: exactly('met', 'credit-due-breach-unproven', 'breach-proven', 'not-yet-provable'),
  creditPercent: within(0, 100),
  samples: whole,
  missed: whole,
  maintenance: whole,
  unobserved: whole,
  samplesNeeded: whole,
  budgetSeconds: amount,
  missedSeconds: amount,
  burnRates: listOf(closed({ seconds: whole, rate: amount }), 8),
  alert: exactly('page', 'ticket', null),
});

const slaProof = closed({
  proofId: text,
  record: closed({
    proofType: exactly('proof_of_sla_compliance'),
    version: exactly(1),
    terms,
    merkleRoot: hex(32),
    judgement,
  }),
  reports: listOf(
    closed({
      observer: hex(32),
      firstSlot: within(0, MOST_SLOTS),
      runs: listOf(closed({ state: exactly(...SAMPLE_STATES), count: within(1, MOST_SLOTS) }), MOST_RUNS),
      signature: base64Url,
    } satisfies Record<keyof SampleReport, Check>),
    MOST_REPORTS,
  ),
});

/** Whether foreign JSON has the shape of a proof of SLA compliance, bounds and closed member sets included. */
export const isSlaProof = (value: unknown): value is SlaProof => slaProof(value);
