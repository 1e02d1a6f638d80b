import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  densityAdvice,
  type FuelRate,
  finishesInTime,
  fuelRateOf,
  type MeasuredRun,
  secondsFor,
  wasAlone,
} from './fuel-rate.ts';

const run = (cpuMs: number, wallMs: number, startMs = 100, fuel = 1e9): MeasuredRun => ({
  fuel,
  cpuMs,
  wallMs,
  startMs,
});
const minute = { requiredTops: 500, utilization: 0.8, durationSeconds: 60 };

test('half of a core is kept for what else the machine does', () => {
  expect(fuelRateOf([run(100, 100)], { places: 1, cores: 1 })).toEqual({ perSecond: 5e9, startSeconds: 0.1 });
  expect(fuelRateOf([run(100, 150)], { places: 1, cores: 2 }).perSecond).toBe(5e9);
});

test('the runs in all places share the cores', () => {
  expect(fuelRateOf([run(100, 100)], { places: 2, cores: 2 }).perSecond).toBe(5e9);
  expect(fuelRateOf([run(100, 100)], { places: 2, cores: 1 }).perSecond).toBe(2.5e9);
  expect(fuelRateOf([run(100, 100)], { places: 8, cores: 2 }).perSecond).toBe(1.25e9);
});

test('no run is promised more than one had by itself, as on a machine that is loaded for good', () => {
  expect(fuelRateOf([run(100, 2000)], { places: 1, cores: 2 }).perSecond).toBe(5e8);
  expect(fuelRateOf([run(100, 2000)], { places: 8, cores: 2 }).perSecond).toBe(5e8);
});

test('counts the least disturbed run, and the slowest start', () => {
  const runs = [run(100, 3000, 900), run(200, 1000, 100), run(150, 4000, 100), run(1, 40, 100, 1e7)];
  expect(fuelRateOf(runs, { places: 4, cores: 2 })).toEqual({ perSecond: 1e9, startSeconds: 0.9 });
  expect(fuelRateOf(runs, { places: 20, cores: 2 }).perSecond).toBe(5e8);
});

test('a run that had a third of a core was hardly disturbed', () => {
  expect([run(100, 100), run(100, 300), run(100, 301)].map(wasAlone)).toEqual([true, true, false]);
});

test('settled 44: a run is promised only where all of its fuel can be used up in time, its start included', () => {
  const rate = (perSecond: number, startSeconds = 0): FuelRate => ({ perSecond, startSeconds });
  expect(secondsFor(rate(4e8, 1), minute)).toBe(61);
  expect(finishesInTime(rate(4e8), minute)).toBe(true);
  expect(finishesInTime(rate(3.99e8), minute)).toBe(false);
  expect(finishesInTime(rate(4e8, 0.1), minute)).toBe(false);
  expect(finishesInTime(rate(5e8, 12), minute)).toBe(true);
  expect(finishesInTime(rate(1e12, 2), { ...minute, durationSeconds: 1 })).toBe(false);
  expect(finishesInTime(rate(0), { ...minute, requiredTops: 1e-9 })).toBe(false);
});

test('more fuel, more places, fewer cores or a slower run never make a promise possible', () => {
  const positive = fc.double({ min: 0.001, max: 1e5, noNaN: true });
  const runs = fc.array(
    fc.record({
      fuel: fc.integer({ min: 1, max: 1e12 }),
      cpuMs: positive,
      wallMs: positive,
      startMs: positive,
    }),
    { minLength: 1, maxLength: 4 },
  );
  const machine = fc.record({
    places: fc.integer({ min: 1, max: 1024 }),
    cores: fc.integer({ min: 1, max: 256 }),
  });
  const job = fc.record({
    requiredTops: positive,
    utilization: fc.constantFrom(0.1, 1),
    durationSeconds: positive,
  });
  fc.assert(
    fc.property(runs, machine, job, (measured, { places, cores }, declared) => {
      const promise = (more: readonly MeasuredRun[], on = { places, cores }, terms = declared): boolean =>
        finishesInTime(fuelRateOf(more, on), terms);
      const harder = [
        promise(measured.map((each) => ({ ...each, wallMs: each.wallMs * 2 }))),
        promise(measured.map((each) => ({ ...each, cpuMs: each.cpuMs * 2, startMs: each.startMs * 2 }))),
        promise(measured, { places: places + 1, cores }),
        promise(measured, { places, cores }, { ...declared, requiredTops: declared.requiredTops * 2 }),
      ];
      if (!promise(measured)) expect(harder).toEqual([false, false, false, false]);
      if (promise(measured)) expect(promise(measured, { places, cores: cores + 1 })).toBe(true);
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
