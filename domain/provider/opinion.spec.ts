import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addSeconds } from '../time.ts';
import { EVIDENCE_REASONS } from './events.ts';
import {
  admits,
  BASE_RATE,
  EVIDENCE_WEIGHTS,
  type Evidence,
  FORGETTING,
  fullOpinion,
  gateOpinion,
  isLow,
  isUncertain,
  NO_EVIDENCE,
  TRUSTED_SCORE,
  UNCERTAINTY_THRESHOLD,
  withEvidence,
} from './opinion.ts';
import { opinionOf } from './subjective-logic.ts';

const at = '2026-07-29T10:00:00.000Z';
const DAY = 86_400;
const success = { positive: 1, negative: 0, at };
const failure = { positive: 0, negative: 1, at };

const repeated = (
  count: number,
  item: typeof success,
  start: Evidence = NO_EVIDENCE,
  forgetting = FORGETTING,
): Evidence =>
  Array.from({ length: count }).reduce<Evidence>(
    (evidence) => withEvidence(evidence, item, forgetting),
    start,
  );

describe('trust.flag.cases', () => {
  test('R89: 7 observations are uncertain (0.222), 8 are not (0.2)', () => {
    expect(fullOpinion(repeated(7, success)).uncertainty).toBeCloseTo(2 / 9, 12);
    expect(isUncertain(fullOpinion(repeated(7, success)))).toBe(true);
    expect(fullOpinion(repeated(8, success)).uncertainty).toBe(UNCERTAINTY_THRESHOLD);
    expect(isUncertain(fullOpinion(repeated(8, success)))).toBe(false);
  });

  test('the flag counts undecayed evidence: idleness does not raise it', () => {
    const idle = repeated(8, success);
    expect(gateOpinion(idle, addSeconds(at, 10_000 * DAY)).uncertainty).toBeGreaterThan(0.9);
    expect(isUncertain(fullOpinion(idle))).toBe(false);
  });

  test.each([
    [8, 7],
    [10, 9],
    [13, 11],
  ])('with %d observations, mean 0.8 and certainty take %d successes', (count, successes) => {
    const qualifies = (positive: number): boolean => {
      const opinion = opinionOf(positive, count - positive);
      return opinion.mean >= TRUSTED_SCORE && !isUncertain(opinion);
    };
    expect([successes - 1, successes].map(qualifies)).toEqual([false, true]);
  });

  test.each([
    [0.9, 0.167],
    [0.95, 0.091],
    [0.98, 0.038],
  ])('forgetting of %d leaves at least %d uncertainty', (forgetting, floor) => {
    const { remembered } = repeated(2000, success, NO_EVIDENCE, forgetting);
    expect(opinionOf(remembered.positive, 0).uncertainty).toBeCloseTo(floor, 3);
  });

  test('with forgetting of 0.875 nobody can ever become certain, with 0.876 somebody can', () => {
    const certain = (forgetting: number): boolean => {
      const { remembered } = repeated(2000, success, NO_EVIDENCE, forgetting);
      return !isUncertain(opinionOf(Number(remembered.positive.toFixed(9)) - 1e-9, 0));
    };
    expect([0.875, 0.876].map(certain)).toEqual([false, true]);
  });

  test('variance trap: the Beta variance never exceeds 0.083, so it could never flag anybody', () => {
    const variances = Array.from({ length: 100 }, (_, count) => {
      const { alpha, beta } = opinionOf(count % 10, Math.floor(count / 10));
      return (alpha * beta) / ((alpha + beta) ** 2 * (alpha + beta + 1));
    });
    expect(Math.max(...variances)).toBeCloseTo(1 / 12, 12);
    expect(isUncertain(opinionOf(0, 0))).toBe(true);
  });
});

describe('trust.betray', () => {
  const failuresUntilOut = (forgetting: number): number => {
    let evidence = repeated(200, success, NO_EVIDENCE, forgetting);
    for (let failures = 0; ; failures++) {
      const { positive, negative } = evidence.remembered;
      if (opinionOf(positive, negative).mean < TRUSTED_SCORE) return failures;
      evidence = withEvidence(evidence, failure, forgetting);
    }
  };

  // With λ = 1 the mean is 201/252 ≥ 0.7976 first after 50 failures, and so on.
  test.each([
    [1, 50],
    [0.99, 19],
    [0.98, 11],
    [0.95, 4],
    [0.9, 2],
  ])(
    'after 200 successes and forgetting of %d, %d failures bring the mean below 0.8',
    (forgetting, failures) => {
      expect(failuresUntilOut(forgetting)).toBe(failures);
    },
  );

  test('at most four failures (three, with the sceptical base rate) take even the longest record out of the trusted set', () => {
    const veteran = repeated(200, success);
    expect(admits(veteran, at)).toMatchObject({ admitted: true, newcomer: false });
    expect(admits(repeated(2, failure, veteran), at).newcomer).toBe(false);
    expect(admits(repeated(3, failure, veteran), at)).toMatchObject({ admitted: true, newcomer: true });
  });

  test('R88: one fraud does, and weighs far more than a timeout', () => {
    const fraud = { ...EVIDENCE_WEIGHTS.deviation, at };
    expect(admits(withEvidence(repeated(10_000, success), fraud), at).newcomer).toBe(true);
    expect(admits(withEvidence(repeated(8, success), fraud), at).admitted).toBe(false);
    expect(EVIDENCE_WEIGHTS.deviation.negative).toBeGreaterThanOrEqual(10 * EVIDENCE_WEIGHTS.lost.negative);
  });
});

describe('award gate', () => {
  test('R91: a newcomer is admitted on probation until it has the evidence', () => {
    expect(admits(NO_EVIDENCE, at)).toEqual({
      admitted: true,
      newcomer: true,
      score: BASE_RATE,
      reason: null,
    });
    expect(admits(repeated(7, success), at).newcomer).toBe(true);
    expect(admits(repeated(8, success), at).newcomer).toBe(false);
  });

  test('an early crash does not shut a newcomer out; three in a row and nothing else do', () => {
    expect(admits(repeated(2, failure), at)).toMatchObject({ admitted: true, newcomer: true });
    const refused = admits(repeated(3, failure), at);
    expect(refused).toMatchObject({ admitted: false, newcomer: false });
    expect(refused.reason).toContain('trust is too low');
  });

  test('settled 39: no bar outlasts 30 days without a new fault; then it competes on probation', () => {
    const day = (days: number): string => addSeconds('2026-01-01T00:00:00.000Z', days * 86_400);
    const fault = (evidence: Evidence, days: number) =>
      withEvidence(evidence, { ...EVIDENCE_WEIGHTS.deviation, at: day(days) });
    const barred = fault(NO_EVIDENCE, 0);
    expect(admits(barred, day(29.9))).toMatchObject({ admitted: false });
    expect(admits(barred, day(30))).toMatchObject({ admitted: true, newcomer: true, reason: null });
    const again = fault(barred, 20);
    expect(admits(again, day(30))).toMatchObject({ admitted: false });
    expect(admits(again, day(50))).toMatchObject({ admitted: true, newcomer: true });
  });

  test('a new identity scores below an unbiased unknown one', () => expect(BASE_RATE).toBeLessThan(0.5));

  test('the score decays toward the base rate by a pure function of the last update', () => {
    const evidence = repeated(50, success);
    const scores = [0, 10, 100, 1000, 100_000].map(
      (days) => admits(evidence, addSeconds(at, days * DAY)).score,
    );
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(scores.at(-1)).toBeCloseTo(BASE_RATE, 6);
  });

  test('a clock behind the last update decays nothing', () => {
    const evidence = repeated(50, success);
    expect(admits(evidence, addSeconds(at, -DAY)).score).toBe(admits(evidence, at).score);
  });

  test('R92: reading never changes a score', () => {
    const evidence = repeated(20, success);
    const before = structuredClone(evidence);
    const read = (): unknown => [fullOpinion(evidence), gateOpinion(evidence, at), admits(evidence, at)];
    expect(read()).toEqual(read());
    expect(evidence).toEqual(before);
  });
});

describe('properties', () => {
  const amount = fc.double({ min: 0, max: 1e6, noNaN: true });
  const rate = fc.double({ min: 0, max: 1, noNaN: true });

  test('belief, disbelief and uncertainty sum to one; the neutral probability is the Beta mean', () => {
    fc.assert(
      fc.property(amount, amount, (positive, negative) => {
        const opinion = opinionOf(positive, negative);
        expect(opinion.belief + opinion.disbelief + opinion.uncertainty).toBeCloseTo(1, 12);
        expect(opinion.probability).toBeCloseTo(opinion.mean, 12);
        expect(opinion.mean).toBe(opinion.alpha / (opinion.alpha + opinion.beta));
      }),
    );
  });

  test('more positive evidence never lowers, more negative never raises mean and probability', () => {
    fc.assert(
      fc.property(amount, amount, amount, rate, (positive, negative, more, baseRate) => {
        const base = opinionOf(positive, negative, baseRate);
        const better = opinionOf(positive + more, negative, baseRate);
        const worse = opinionOf(positive, negative + more, baseRate);
        const slack = 1e-12;
        expect(better.mean).toBeGreaterThanOrEqual(base.mean - slack);
        expect(better.probability).toBeGreaterThanOrEqual(base.probability - slack);
        expect(worse.mean).toBeLessThanOrEqual(base.mean + slack);
        expect(worse.probability).toBeLessThanOrEqual(base.probability + slack);
      }),
    );
  });

  test('idle days split anywhere decay alike, and remembered evidence stays below its bound', () => {
    const reason = fc.constantFrom(...EVIDENCE_REASONS);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(reason, fc.integer({ min: 0, max: 400 })), { maxLength: 60 }),
        (steps) => {
          let evidence = NO_EVIDENCE;
          let now = at;
          let heaviest = 0;
          for (const [name, days] of steps) {
            now = addSeconds(now, days * DAY);
            const weights = EVIDENCE_WEIGHTS[name];
            heaviest = Math.max(heaviest, weights.positive, weights.negative);
            evidence = withEvidence(evidence, { ...weights, at: now });
          }
          const bound = heaviest / (1 - FORGETTING) + 1e-9;
          expect(evidence.remembered.positive).toBeLessThanOrEqual(bound);
          expect(evidence.remembered.negative).toBeLessThanOrEqual(bound);
          expect(evidence.remembered.positive).toBeLessThanOrEqual(evidence.positive);
          const later = gateOpinion(evidence, addSeconds(now, 30 * DAY));
          const nothing = withEvidence(
            evidence,
            { positive: 0, negative: 0, at: addSeconds(now, 10 * DAY) },
            1,
          );
          expect(gateOpinion(nothing, addSeconds(now, 30 * DAY)).probability).toBeCloseTo(
            later.probability,
            9,
          );
        },
      ),
    );
  });

  test('every reason speaks for or against, never both', () => {
    for (const reason of EVIDENCE_REASONS) {
      const { positive, negative } = EVIDENCE_WEIGHTS[reason];
      expect(positive > 0).not.toBe(negative > 0);
    }
  });

  test('low is a mean below one half', () => {
    expect(isLow(opinionOf(0, 0))).toBe(false);
    expect(isLow(opinionOf(3, 4))).toBe(true);
  });
});
