import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WorkOrder } from './events.ts';
import { hadItsPace, PROBES, probeFuel, promisedPace } from './pace.ts';

const work = (timeLimitSeconds: number, fuelLimit: number): WorkOrder => ({
  args: [],
  inputHash: '00'.repeat(32),
  randomSeed: '00'.repeat(32),
  clockStart: '2026-01-01T00:00:00.000Z',
  timeLimitSeconds,
  fuelLimit,
});
const used = (probedFuelPerSecond: number, wallMs: number) => ({
  cpuMs: 0,
  wallMs,
  peakMemoryBytes: 0,
  probedFuelPerSecond,
});

describe('settled 40: that a run was out of time is its node’s doing where the machine was slower than promised', () => {
  const order = work(60, 6000);

  test.each([
    ['known work went at the promised pace', used(100, 60_001), true],
    ['at less', used(99.9, 60_001), false],
    ['the node gave the enclave a shorter time', used(100, 59_990), false],
    ['nobody probed', { cpuMs: 60_000, wallMs: 60_001, peakMemoryBytes: 0 }, false],
  ])('%s', (_, resources, expected) => {
    expect(hadItsPace(resources, order)).toBe(expected);
  });

  test('probes take a tenth of the time at most, a second of a long run, where the pace is as promised', () => {
    const seconds = fc.double({ min: 0.001, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(seconds, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (time, fuel) => {
        const given = work(time, fuel);
        const all = (PROBES * (probeFuel(given) - 1)) / promisedPace(given);
        expect(all).toBeLessThanOrEqual(Math.min(time / 10, 1) * (1 + 1e-9));
      }),
    );
  });
});
