import { SAMPLE_STATES, type SampleReport, type SlaProof } from '../../domain/proof/sla-record.ts';
import { observedProof } from './observed-shape.ts';
import { amount, base64Url, type Check, closed, exactly, hex, listOf, whole, within } from './shape.ts';

/** A month of beats one second apart. */
const MOST_SLOTS = 31 * 86_400;
const MOST_REPORTS = 256;
const MOST_RUNS = 4096;

const target: Check = (value) => typeof value === 'number' && value >= 0.5 && value < 1;

const slaProof = observedProof({
  proofType: 'proof_of_sla_compliance',
  terms: {
    availability: target,
    periodSeconds: within(1, 300),
    slots: within(1, MOST_SLOTS),
    creditOn: exactly('over-budget', 'breach-proven'),
  },
  judgement: {
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
  },
  evidence: {
    reports: listOf(
      closed({
        observer: hex(32),
        firstSlot: within(0, MOST_SLOTS),
        runs: listOf(closed({ state: exactly(...SAMPLE_STATES), count: within(1, MOST_SLOTS) }), MOST_RUNS),
        signature: base64Url,
      } satisfies Record<keyof SampleReport, Check>),
      MOST_REPORTS,
    ),
  },
});

/** Whether foreign JSON has the shape of a proof of SLA compliance, bounds and closed member sets included. */
export const isSlaProof = (value: unknown): value is SlaProof => slaProof(value);
