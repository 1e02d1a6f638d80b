import { creditPercentFor } from '../sla-credit.ts';
import { upperTail } from './binomial.ts';
import {
  ALERT_RULES,
  type AlertSeverity,
  allowedShare,
  budgetSeconds,
  burnRate,
  SIGNIFICANCE,
  samplesNeeded,
  withinBudget,
} from './error-budget.ts';
import type { SampleRun, SlaTerms } from './sla-record.ts';

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

export const windowSeconds = ({ slots, periodSeconds }: Pick<SlaTerms, 'slots' | 'periodSeconds'>): number =>
  slots * periodSeconds;

/** The verdict on `missed` of `samples`. @param target availability, between 0 and 1. */
export const concludeSla = (target: number, samples: number, missed: number): SlaConclusion => {
  if (samples < samplesNeeded(target)) return 'not-yet-provable';
  if (withinBudget(target, samples, missed)) return 'met';
  return upperTail(samples, missed, allowedShare(target)) <= SIGNIFICANCE
    ? 'breach-proven'
    : 'credit-due-breach-unproven';
};

const creditOf = (verdict: SlaConclusion, creditOn: SlaTerms['creditOn'], missedShare: number): number =>
  verdict === 'breach-proven' || (verdict === 'credit-due-breach-unproven' && creditOn === 'over-budget')
    ? creditPercentFor(missedShare)
    : 0;

const countOf = (runs: readonly SampleRun[], state: SampleRun['state']): number =>
  runs.reduce((sum, run) => (run.state === state ? sum + run.count : sum), 0);

/** The last `slots` of the window. */
const tailOf = (runs: readonly SampleRun[], slots: number): SampleRun[] => {
  const tail: SampleRun[] = [];
  let left = slots;
  for (const { state, count } of runs.toReversed()) {
    if (left === 0) break;
    const taken = Math.min(count, left);
    tail.push({ state, count: taken });
    left -= taken;
  }
  return tail;
};

/** Judges a window by what its observers agree on. @param runs the whole window, from `agreedRuns`. */
export const judgeCompliance = (terms: SlaTerms, runs: readonly SampleRun[]): SlaJudgement => {
  const { availability, periodSeconds, creditOn } = terms;
  const missed = countOf(runs, 'down');
  const samples = missed + countOf(runs, 'up');
  const verdict = concludeSla(availability, samples, missed);
  const burnOver = (seconds: number): number => {
    const tail = tailOf(runs, Math.ceil(seconds / periodSeconds));
    const down = countOf(tail, 'down');
    return burnRate(availability, down + countOf(tail, 'up'), down);
  };
  const firing = ALERT_RULES.find(
    ({ burn, longSeconds, shortSeconds }) => burnOver(longSeconds) >= burn && burnOver(shortSeconds) >= burn,
  );
  return {
    verdict,
    creditPercent: creditOf(verdict, creditOn, samples === 0 ? 0 : missed / samples),
    samples,
    missed,
    maintenance: countOf(runs, 'maintenance'),
    unobserved: countOf(runs, 'unobserved'),
    samplesNeeded: samplesNeeded(availability),
    budgetSeconds: budgetSeconds(availability, windowSeconds(terms)),
    missedSeconds: missed * periodSeconds,
    burnRates: ALERT_RULES.map(({ longSeconds }) => ({ seconds: longSeconds, rate: burnOver(longSeconds) })),
    alert: firing?.severity ?? null,
  };
};
