import { rationalOf } from '../rational.ts';

/** Error budgets, burn rates and sample numbers of an availability target (domain-rules 3.3; SRE workbook, chapter 5). */

const HOUR = 3600;
const DAY = 24 * HOUR;

export type AlertSeverity = 'page' | 'ticket';

/** An alert fires when the burn rate reaches `burn` over the long window and over the short one: it still goes on. */
export interface AlertRule {
  readonly severity: AlertSeverity;
  readonly burn: number;
  readonly longSeconds: number;
  readonly shortSeconds: number;
}

export const ALERT_RULES: readonly AlertRule[] = [
  { severity: 'page', burn: 14.4, longSeconds: HOUR, shortSeconds: 5 * 60 },
  { severity: 'page', burn: 6, longSeconds: 6 * HOUR, shortSeconds: 30 * 60 },
  { severity: 'ticket', burn: 1, longSeconds: 3 * DAY, shortSeconds: 6 * HOUR },
];

const PAGING_BURN = 14.4;

/** Most of the false-breach chance that an exact one-sided test may take, and what a claim without a miss leaves open. */
export const SIGNIFICANCE = 0.05;

/** 1 − target as an exact fraction: 0.9999 leaves 1/10000 and not the nearest double to it. */
const budgetOf = (target: number): { readonly bad: number; readonly of: number } => {
  const { numerator, denominator } = rationalOf(target);
  return { bad: Number(denominator - numerator), of: Number(denominator) };
};

/** The share of time, or of samples, that may be bad: 1 − target. */
export const allowedShare = (target: number): number => {
  const { bad, of } = budgetOf(target);
  return bad / of;
};

/** Seconds of a window that may be bad. */
export const budgetSeconds = (target: number, windowSeconds: number): number => {
  const { bad, of } = budgetOf(target);
  return (bad * windowSeconds) / of;
};

/** Whether `missed` of `samples` are within the budget, with no rounding at its edge. */
export const withinBudget = (target: number, samples: number, missed: number): boolean => {
  const { bad, of } = budgetOf(target);
  return BigInt(missed) * BigInt(of) <= BigInt(samples) * BigInt(bad);
};

/** Bad share over allowed share: at 1 the budget lasts exactly its period. 0 without samples. */
export const burnRate = (target: number, samples: number, missed: number): number => {
  const { bad, of } = budgetOf(target);
  return samples === 0 ? 0 : (missed * of) / (samples * bad);
};

/** Seconds of downtime within the long window of a rule that reach its burn rate. */
export const alertingDowntime = (target: number, { burn, longSeconds }: AlertRule): number =>
  burn * budgetSeconds(target, longSeconds);

/** Whether samples this far apart can tell a target: a single miss must not burn an hour's budget at a paging rate. */
export const canProve = (target: number, periodSeconds: number): boolean =>
  burnRate(target, HOUR / periodSeconds, 1) < PAGING_BURN;

/** Samples without a miss that a claim of `target` takes at 95 % confidence: ln 0.05 / ln target, rounded up. */
export const samplesNeeded = (target: number): number => Math.ceil(Math.log(SIGNIFICANCE) / Math.log(target));
