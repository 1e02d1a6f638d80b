import { describe, expect, test } from 'vitest';
import {
  ALERT_RULES,
  alertingDowntime,
  budgetSeconds,
  burnRate,
  canProve,
  samplesNeeded,
  withinBudget,
} from './error-budget.ts';

const MONTH = 30 * 86_400;

/** sla.burn.cases: domain-rules 3.3. */
describe('error budgets', () => {
  test.each([
    [0.95, 36 * 3600],
    [0.995, 3.6 * 3600],
    [0.999, 43.2 * 60],
    [0.9999, 259.2],
  ])('of %d leave %d s in 30 days', (target, seconds) => {
    expect(budgetSeconds(target, MONTH)).toBe(seconds);
  });

  test.each([
    [0.995, [259.2, 648, 1296]],
    [0.999, [51.84, 129.6, 259.2]],
    [0.9999, [5.184, 12.96, 25.92]],
  ])('of %d alert after so many seconds down', (target, seconds) => {
    expect(ALERT_RULES.map((rule) => alertingDowntime(target, rule))).toEqual(
      seconds.map((each) => expect.closeTo(each, 9)),
    );
  });

  test('spend 2, 5 and 10 % of a month before they alert', () => {
    const spent = ALERT_RULES.map((rule) => alertingDowntime(0.999, rule) / budgetSeconds(0.999, MONTH));
    expect(spent).toEqual([0.02, 0.05, 0.1].map((share) => expect.closeTo(share, 12)));
  });

  test.each([
    [30, 83.3, false],
    [10, 27.8, false],
    [5, 13.9, true],
    [1, 2.8, true],
  ])('one missed beat of %d s burns platinum at %d in an hour', (period, burn, proves) => {
    expect(burnRate(0.9999, 3600 / period, 1)).toBeCloseTo(burn, 1);
    expect(canProve(0.9999, period)).toBe(proves);
  });

  test('beats of 30 s prove gold and nothing better', () => {
    expect([0.95, 0.995, 0.999, 0.9999].map((target) => canProve(target, 30))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(30 / budgetSeconds(0.9999, MONTH)).toBeCloseTo(0.116, 3);
  });

  test.each([
    [0.95, 59],
    [0.995, 598],
    [0.999, 2995],
    [0.9999, 29_956],
  ])('of %d take %i beats without a miss to claim', (target, beats) => {
    expect(samplesNeeded(target)).toBe(beats);
    expect(target ** beats).toBeLessThanOrEqual(0.05);
    expect(target ** (beats - 1)).toBeGreaterThan(0.05);
  });

  test('have an exact edge', () => {
    expect(withinBudget(0.9999, 10_000, 1)).toBe(true);
    expect(withinBudget(0.9999, 9_999, 1)).toBe(false);
    expect(burnRate(0.99, 0, 0)).toBe(0);
  });
});
