import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addSeconds } from '../time.ts';
import { EVIDENCE_WEIGHTS, type Evidence, NO_EVIDENCE, withEvidence } from './opinion.ts';
import { FULL, GOOD_STANDING, riskEvidence, standingOf } from './risk.ts';

const at = '2026-07-29T10:00:00.000Z';
const DAY = 86_400;

const after = (start: Evidence, reason: keyof typeof EVIDENCE_WEIGHTS, times: number): Evidence =>
  Array.from({ length: times }).reduce<Evidence>(
    (evidence) => withEvidence(evidence, { ...EVIDENCE_WEIGHTS[reason], at }),
    start,
  );

const NOBODY = { positive: 0, negative: 0 };
const item = fc.double({ min: 0, max: 20, noNaN: true });
const luck = fc.double({ min: 0, max: 0.999, noNaN: true });

describe('standing', () => {
  test('grows with deliveries and with luck, falls with faults, and stays within its bounds', () => {
    fc.assert(
      fc.property(item, item, item, luck, luck, (positive, negative, more, low, high) => {
        const evidence = { positive, negative };
        const standing = standingOf(evidence, low);
        expect(Number.isInteger(standing) && standing >= 0 && standing <= GOOD_STANDING).toBe(true);
        // One millionth either way is what rounding of the distribution may do.
        expect(standingOf({ positive: positive + more, negative }, low)).toBeGreaterThanOrEqual(standing - 1);
        expect(standingOf({ positive, negative: negative + more }, low)).toBeLessThanOrEqual(standing + 1);
        if (high >= low) expect(standingOf(evidence, high)).toBeGreaterThanOrEqual(standing);
      }),
    );
  });

  test('of a newcomer is good in about a third of auctions, and of who delivers in almost all', () => {
    const goodAt = (evidence: Parameters<typeof standingOf>[0]): number => {
      const lucks = Array.from({ length: 1000 }, (_, index) => index / 1000);
      return lucks.filter((each) => standingOf(evidence, each) === GOOD_STANDING).length / 1000;
    };
    expect(goodAt(NOBODY)).toBeCloseTo(0.37, 1);
    expect(goodAt(riskEvidence(after(NO_EVIDENCE, 'completed', 12), at))).toBeGreaterThan(0.99);
    expect(goodAt(riskEvidence(after(NO_EVIDENCE, 'lost', 1), at))).toBeLessThan(0.01);
  });

  test('trust.betray: four losses end the longest record, one fraud does', () => {
    const veteran = after(NO_EVIDENCE, 'completed', 200);
    const standing = (evidence: Evidence) => standingOf(riskEvidence(evidence, at), 0.5);
    expect(standing(after(veteran, 'lost', 1))).toBe(GOOD_STANDING);
    expect(standing(after(veteran, 'lost', 4))).toBeLessThan(GOOD_STANDING);
    expect(standing(after(veteran, 'deviation', 1))).toBeLessThan(0.3 * FULL);
  });
});

describe('evidence of risk', () => {
  test('settled 39: after 30 days without a fault nobody is worse than unknown', () => {
    const fallen = after(NO_EVIDENCE, 'lost', 5);
    const days = (count: number): string => addSeconds(at, count * DAY);
    expect(riskEvidence(fallen, days(29.9)).negative).toBeGreaterThan(4);
    expect(riskEvidence(fallen, days(30))).toEqual(NOBODY);
  });

  test('a good record outlives them', () => {
    const known = after(NO_EVIDENCE, 'completed', 12);
    expect(riskEvidence(known, addSeconds(at, 60 * DAY)).positive).toBeGreaterThan(8);
  });

  test('has at most 6 decimals, as the log keeps it', () => {
    const { positive } = riskEvidence(after(NO_EVIDENCE, 'completed', 7), addSeconds(at, 1));
    expect(String(positive)).toMatch(/^\d+\.\d{1,6}$/);
  });
});
