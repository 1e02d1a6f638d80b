import { expect, test } from 'vitest';
import { cpuTime, quantile, runSuite } from './harness.ts';

test('quantiles lie between the nearest values', () => {
  expect(quantile([3, 1, 2], 0.5)).toBe(2);
  expect(quantile([4, 1, 2, 3], 0.5)).toBe(2.5);
  expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2);
});

test('the ratio is that of the same round, without the first one, with the sides in turn', async () => {
  const order: string[] = [];
  // A machine that becomes ten times slower in the middle of the run: the ratio stays.
  const speed = () => (order.length < 8 ? 10 : 1);
  const side = (name: string, rate: number) => async () => {
    order.push(name);
    return rate * speed();
  };
  const cases = [{ name: 'case', unit: 'events/s', ours: side('ours', 30), baseline: side('baseline', 20) }];
  let closed = false;
  const close = async () => {
    closed = true;
  };
  const suite = { name: 'suite', open: async () => ({ cases, close }) };
  const result = await runSuite(suite, { rounds: 7, only: [], onProgress: () => undefined });
  expect(result).toMatchObject({
    suite: 'suite',
    cases: [{ name: 'case', ratio: 1.5, rounds: 7, unit: 'events/s', spread: 0 }],
  });
  expect(order.slice(2, 6)).toEqual(['ours', 'baseline', 'baseline', 'ours']);
  expect(closed).toBe(true);
});

test('CPU time is told per operation, with the time on the clock beside it', async () => {
  let operations = 0;
  const measured = await cpuTime(20, () => {
    operations += 1;
    const start = performance.now();
    while (performance.now() - start < 2);
  });
  expect(operations).toBeGreaterThanOrEqual(1);
  expect(measured.wallMs).toBeGreaterThanOrEqual(2);
  expect(measured.value).toBeGreaterThan(0);
  const sides = {
    ours: async () => measured,
    baseline: async () => ({ value: measured.value / 2, wallMs: 1.5 }),
  };
  const suite = {
    name: 'suite',
    open: async () => ({ cases: [{ name: 'case', unit: 'CPU ms', ...sides }], close: async () => undefined }),
  };
  const { cases } = await runSuite(suite, { rounds: 7, only: [], onProgress: () => undefined });
  expect(cases[0]).toMatchObject({ ratio: 2, wall_ms: { baseline: 1.5 } });
});

test('without a baseline there is no ratio, and the spread is that of our own figure', async () => {
  const figures = [9, 1, 2, 3, 4, 5, 6, 7];
  const one = { name: 'case', unit: 's', ours: async () => figures.shift() ?? 0, baseline: null };
  const suite = { name: 'suite', open: async () => ({ cases: [one], close: async () => undefined }) };
  const { cases } = await runSuite(suite, { rounds: 7, only: [], onProgress: () => undefined });
  expect(cases).toEqual([
    { name: 'case', ours: 4, baseline: null, ratio: null, unit: 's', rounds: 7, spread: 0.75 },
  ]);
});
