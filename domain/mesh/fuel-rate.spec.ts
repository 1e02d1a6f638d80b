import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  densityAdvice,
  type FuelRate,
  fuelRateOf,
  type MeasuredRun,
  mostRunsFor,
  secondsFor,
} from './fuel-rate.ts';

const run = (cpuMs: number, startMs = 100, fuel = 1e9): MeasuredRun => ({ fuel, cpuMs, startMs });
const minute = { requiredTops: 500, utilization: 0.8, durationSeconds: 60 };
const rateOf = (perSecond: number, cores = 1, startSeconds = 0): FuelRate => ({
  perSecond,
  cores,
  startSeconds,
});

test('half of a core is kept for what else the machine does', () => {
  expect(fuelRateOf([run(100)], 2)).toEqual({ perSecond: 5e9, cores: 2, startSeconds: 0.1 });
});

test('counts the least disturbed run', () => {
  const runs = [run(100, 900), run(200, 100), run(150, 300), run(1, 400, 1e7)];
  expect(fuelRateOf(runs, 4)).toEqual({ perSecond: 5e9, cores: 4, startSeconds: 0.1 });
});

test('settled 44: a run is promised only where all of its fuel can be used up in time, its start included', () => {
  expect(secondsFor(rateOf(4e8, 1, 1), minute)).toBe(61);
  expect(mostRunsFor(rateOf(4e8), minute)).toBe(1);
  expect(mostRunsFor(rateOf(3.99e8), minute)).toBe(0);
  expect(mostRunsFor(rateOf(4e8, 1, 0.1), minute)).toBe(0);
  expect(mostRunsFor(rateOf(5e8, 1, 12), minute)).toBe(1);
  expect(mostRunsFor(rateOf(1e12, 1, 2), { ...minute, durationSeconds: 1 })).toBe(0);
  expect(mostRunsFor(rateOf(0), { ...minute, requiredTops: 1e-9 })).toBe(0);
});

test('runs share the cores: as many as leave each of them its time', () => {
  expect(mostRunsFor(rateOf(4e8, 2), minute)).toBe(2);
  expect(mostRunsFor(rateOf(8e8, 2), minute)).toBe(4);
  expect(mostRunsFor(rateOf(7e8, 2), minute)).toBe(3);
  expect(secondsFor(rateOf(8e8, 2), minute, 4)).toBe(60);
  expect(secondsFor(rateOf(8e8, 2), minute, 2)).toBe(30);
});

test('with so many runs it is done in time, and with one more than the cores allow it is not', () => {
  const positive = fc.double({ min: 0.001, max: 1e5, noNaN: true });
  const rates = fc.record({
    perSecond: fc.double({ min: 1, max: 1e12, noNaN: true }),
    cores: fc.integer({ min: 1, max: 256 }),
    startSeconds: fc.double({ min: 0, max: 100, noNaN: true }),
  });
  const job = fc.record({
    requiredTops: positive,
    utilization: fc.constantFrom(0.1, 1),
    durationSeconds: positive,
  });
  fc.assert(
    fc.property(rates, job, (rate, declared) => {
      const most = mostRunsFor(rate, declared);
      const late = declared.durationSeconds * (1 + 1e-9);
      if (most > 0) {
        expect(most).toBeGreaterThanOrEqual(rate.cores);
        expect(secondsFor(rate, declared, most)).toBeLessThanOrEqual(late);
      }
      const early = declared.durationSeconds * (1 - 1e-9);
      expect(secondsFor(rate, declared, most + 1)).toBeGreaterThan(most === 0 ? 0 : early);
      if (most === 0) expect(secondsFor(rate, declared)).toBeGreaterThan(early);
      expect(mostRunsFor({ ...rate, perSecond: rate.perSecond / 2 }, declared)).toBeLessThanOrEqual(most);
      expect(mostRunsFor(rate, { ...declared, requiredTops: declared.requiredTops * 2 })).toBeLessThanOrEqual(
        most,
      );
    }),
  );
});

test('who asks for more than most cores can do is told so, and nobody else', () => {
  expect(densityAdvice({ requiredTops: 999, utilization: 1, durationSeconds: 60 })).toBeNull();
  expect(densityAdvice(minute)).toBeNull();
  expect(densityAdvice({ requiredTops: 5000, utilization: 0.8, durationSeconds: 300 })).toMatch(
    /use 4000000000 units of fuel a second/,
  );
});
