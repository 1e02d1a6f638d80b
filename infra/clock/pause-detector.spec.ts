import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPauseDetector, type PauseDetector } from './pause-detector.ts';

let ms: number;
let detector: PauseDetector;

beforeEach(() => {
  vi.useFakeTimers();
  ms = 0;
  detector = createPauseDetector({ monotonicMs: () => ms });
});
afterEach(() => {
  detector.stop();
  vi.useRealTimers();
});

/** Time in which the process runs. */
const run = (runMs: number): void => {
  for (let passed = 0; passed < runMs; passed += 250) {
    ms += 250;
    vi.advanceTimersByTime(250);
  }
};

describe('a pause detector', () => {
  it('sees none while the process runs, however long nobody asks', () => {
    run(60_000);
    expect(detector.pauses()).toBe(0);
    expect(detector.now()).toBe(60_000);
  });

  it('counts each pause, seen first by its timer or by who asks', () => {
    run(1_000);
    ms += 20_000;
    expect(detector.pauses()).toBe(1);
    run(1_000);
    ms += 20_000;
    run(1_000);
    expect(detector.pauses()).toBe(2);
  });

  it('takes no busy moment for one', () => {
    run(1_000);
    ms += 1_000;
    run(1_000);
    expect(detector.pauses()).toBe(0);
  });
});
