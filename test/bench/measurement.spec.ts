import { expect, test } from 'vitest';
import { runMeasurement } from './measurement.ts';

test('several cases come from the same measurements, of sides that take turns', async () => {
  const order: string[] = [];
  const side = (name: string, seconds: number) => async () => {
    order.push(name);
    return {
      cpu: { value: seconds, wallMs: Number.NaN, parts: { worker: seconds / 2, api: seconds / 2 } },
      latency: { value: seconds * 1000, wallMs: Number.NaN },
    };
  };
  const results = await runMeasurement(
    {
      sides: { ours: side('ours', 1), other: side('other', 4), bare: side('bare', 2) },
      cases: [
        { name: 'cpu', unit: 's', figure: 'cpu', ours: 'ours', baseline: 'other' },
        { name: 'to-bare', unit: 's', figure: 'cpu', ours: 'ours', baseline: 'bare' },
        { name: 'latency', unit: 'ms', figure: 'latency', ours: 'ours', baseline: null },
      ],
      mostRounds: 2,
    },
    9,
  );
  expect(order).toEqual(['ours', 'other', 'bare', 'other', 'bare', 'ours']);
  expect(results).toMatchObject([
    {
      name: 'cpu',
      ratio: 0.25,
      rounds: 2,
      parts: { ours: { worker: 0.5, api: 0.5 }, baseline: { worker: 2, api: 2 } },
    },
    { name: 'to-bare', ratio: 0.5 },
    { name: 'latency', ours: 1000, baseline: null, ratio: null },
  ]);
});

test('a figure that no side has is an error', async () => {
  const missing = runMeasurement(
    {
      sides: { ours: async () => ({}) },
      cases: [{ name: 'cpu', unit: 's', figure: 'cpu', ours: 'ours', baseline: null }],
    },
    1,
  );
  await expect(missing).rejects.toThrow('ours has no figure cpu');
});
