import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SLA_TERMS } from '../../infra/verify/observed.fixture.ts';
import { allowedShare, samplesNeeded, withinBudget } from './error-budget.ts';
import { concludeSla, judgeCompliance } from './sla.ts';
import type { SampleRun } from './sla-record.ts';

const up = (count: number): SampleRun => ({ state: 'up', count });
const down = (count: number): SampleRun => ({ state: 'down', count });

/** Numbers in [0, 1) that a seed gives (mulberry32). */
const randomFrom = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

describe('the verdict on an SLA', () => {
  test.each([
    [298, 0, 'not-yet-provable'],
    [298, 298, 'not-yet-provable'],
    [299, 0, 'met'],
    [1000, 10, 'met'],
    [1000, 11, 'credit-due-breach-unproven'],
    [1000, 15, 'credit-due-breach-unproven'],
    [1000, 17, 'breach-proven'],
    [1000, 1000, 'breach-proven'],
  ])('on 99 %% with %i beats, %i of them missed, is %s', (samples, missed, verdict) => {
    expect(concludeSla(0.99, samples, missed)).toBe(verdict);
  });

  test('is never better with one more miss, and a proven breach is over the budget', () => {
    const rank = ['met', 'credit-due-breach-unproven', 'breach-proven'];
    const cases = fc.record({
      target: fc.constantFrom(0.95, 0.995, 0.999),
      extra: fc.nat(5000),
      missed: fc.nat(300),
    });
    fc.assert(
      fc.property(cases, ({ target, extra, missed }) => {
        const samples = samplesNeeded(target) + extra;
        fc.pre(missed < samples);
        const [now, next] = [missed, missed + 1].map((many) => concludeSla(target, samples, many));
        expect(rank.indexOf(next ?? '')).toBeGreaterThanOrEqual(rank.indexOf(now ?? ''));
        expect(now === 'met').toBe(withinBudget(target, samples, missed));
      }),
    );
  });

  test('sla.yearsim: is wrong about a breach in at most 5 % of the windows of providers that just keep the SLO', () => {
    const random = randomFrom(7);
    for (const target of [0.95, 0.995, 0.999]) {
      const [windows, samples] = [20_000, samplesNeeded(target) * 2];
      let wrong = 0;
      for (let window = 0; window < windows; window++) {
        let missed = 0;
        // Gaps between misses are geometric.
        for (let at = -1; ; missed++) {
          at += 1 + Math.floor(Math.log(1 - random()) / Math.log(1 - allowedShare(target)));
          if (at >= samples) break;
        }
        if (concludeSla(target, samples, missed) === 'breach-proven') wrong++;
      }
      // Three standard deviations of a count above the bound.
      expect(wrong / windows).toBeLessThanOrEqual(0.05 + 3 * Math.sqrt((0.05 * 0.95) / windows));
      expect(wrong).toBeGreaterThan(0);
    }
  });

  test('sla.yearsim: never calls a month a breach whose outages stayed within its budget', () => {
    const random = randomFrom(11);
    const [period, day] = [5, 86_400];
    for (let month = 0; month < 12; month++) {
      // Outages of 1 to 60 s, one a day at most, 259 s in all at most: the budget of platinum.
      let left = 259;
      let missed = 0;
      for (let from = 0; from < 30 * day && left > 1; from += day) {
        const length = Math.min(left, 1 + Math.floor(random() * 60));
        const start = from + random() * (day - 60);
        missed += Math.floor((start + length) / period) - Math.floor(start / period);
        left -= length;
      }
      expect(concludeSla(0.9999, (30 * day) / period, missed)).not.toBe('breach-proven');
    }
  });
});

describe('a judged window', () => {
  const judge = (runs: SampleRun[], change: Partial<typeof SLA_TERMS> = {}) =>
    judgeCompliance({ ...SLA_TERMS, ...change }, runs);

  test('counts neither maintenance nor what nobody saw', () => {
    const runs: SampleRun[] = [
      up(400),
      { state: 'maintenance', count: 500 },
      { state: 'unobserved', count: 100 },
    ];
    expect(judge(runs)).toMatchObject({
      verdict: 'met',
      creditPercent: 0,
      samples: 400,
      missed: 0,
      maintenance: 500,
      unobserved: 100,
      budgetSeconds: 50,
      missedSeconds: 0,
      alert: null,
    });
  });

  test('credits in steps, from the verdict on that the terms name', () => {
    const credit = (missed: number, creditOn: 'over-budget' | 'breach-proven') =>
      judge([up(1000 - missed), down(missed)], { creditOn }).creditPercent;
    expect([10, 11, 100, 101, 500, 501, 1000].map((missed) => credit(missed, 'over-budget'))).toEqual([
      0, 10, 10, 25, 25, 100, 100,
    ]);
    expect([11, 17].map((missed) => credit(missed, 'breach-proven'))).toEqual([0, 10]);
  });

  test('alerts on what still burns at its end', () => {
    expect(judge([up(900), down(100)]).alert).toBe('page');
    expect(judge([down(100), up(900)]).alert).toBe('ticket');
    expect(judge([down(100), up(10_000)], { slots: 10_100 }).alert).toBeNull();
    const platinum = { availability: 0.9999, slots: 60_000 };
    expect(judge([up(59_999), down(1)], platinum)).toMatchObject({
      alert: null,
      burnRates: [
        { seconds: 3600, rate: expect.closeTo(13.9, 1) as number },
        { seconds: 21_600, rate: expect.closeTo(2.3, 1) as number },
        { seconds: 259_200, rate: expect.closeTo(0.19, 1) as number },
      ],
    });
  });
});
