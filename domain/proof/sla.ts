import { creditPercentFor } from '../sla/steps.ts';
import { upperTail } from './binomial.ts';
import {
  ALERT_RULES,
  allowedShare,
  budgetSeconds,
  burnRate,
  SIGNIFICANCE,
  samplesNeeded,
  withinBudget,
} from './error-budget.ts';
import type { SampleRun, SlaConclusion, SlaJudgement, SlaTerms } from './sla-record.ts';

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
