import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PROBES } from '../../domain/enclave/pace.ts';
import { probeBeside } from './probes.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Probes of 100 units of fuel in a minute, each done after so many ms; how often one was begun, and what failed. */
const probed = (work: () => Promise<void>) => {
  let begun = 0;
  const failures: unknown[] = [];
  const count = (): Promise<void> => {
    begun += 1;
    return work();
  };
  const fail = (error: unknown): void => void failures.push(error);
  const probes = probeBeside({ fuel: 100, timeLimitSeconds: 60 }, fail, count);
  return { probes, begun: () => begun, failures };
};
const after = (ms: number) => (): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('says how fast known work was done', async () => {
  const { probes, begun } = probed(after(1000));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(begun()).toBe(PROBES);
  expect(probes.stop()).toBeCloseTo(100, -1);
});

test('what was never done took until now', async () => {
  const { probes } = probed(() => new Promise(() => undefined));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(probes.stop()).toBeLessThan(100 / 15);
});

test('begins no more once the run has ended', async () => {
  const { probes, begun } = probed(after(1));
  await vi.advanceTimersByTimeAsync(3_000);
  probes.stop();
  const before = begun();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(begun()).toBe(before);
});

test('says when this machine cannot do it', async () => {
  const { failures } = probed(() => Promise.reject(new Error('no memory')));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(failures).toHaveLength(PROBES);
});
