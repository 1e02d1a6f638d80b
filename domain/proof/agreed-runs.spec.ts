import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agreedRuns } from './agreed-runs.ts';
import { SAMPLE_STATES, type SampleReport, type SampleRun, type SampleState } from './sla-record.ts';

const termsOf = (keys: readonly string[], slots: number, quorum: number) => ({
  observers: keys.map((key) => ({ id: `provider-${key}`, key })),
  quorum,
  slots,
});
const report = (observer: string, firstSlot: number, runs: readonly SampleRun[]): SampleReport => ({
  observer,
  firstSlot,
  runs,
  signature: '',
});
const runsOf = (states: readonly SampleState[]): SampleRun[] => states.map((state) => ({ state, count: 1 }));
const expand = (runs: readonly SampleRun[]): SampleState[] =>
  runs.flatMap(({ state, count }) => Array.from({ length: count }, () => state));

describe('what a quorum of observers saw', () => {
  test('is what so many of them saw, beat by beat', () => {
    const slots = 12;
    const states = fc.array(fc.constantFrom(...SAMPLE_STATES), { minLength: slots, maxLength: slots });
    fc.assert(
      fc.property(fc.array(states, { minLength: 1, maxLength: 5 }), (seen) => {
        const keys = seen.map((_, index) => String(index));
        const quorum = Math.floor(seen.length / 2) + 1;
        const reports = seen.map((each, index) => report(String(index), 0, runsOf(each)));
        const merged = expand(agreedRuns(termsOf(keys, slots, quorum), reports) ?? []);
        expect(merged).toHaveLength(slots);
        for (const [slot, state] of merged.entries()) {
          const votes = (wanted: SampleState) => seen.filter((each) => each[slot] === wanted).length;
          if (state === 'unobserved')
            for (const other of ['up', 'down', 'maintenance'] as const)
              expect(votes(other)).toBeLessThan(quorum);
          else expect(votes(state)).toBeGreaterThanOrEqual(quorum);
        }
      }),
    );
  });

  test('is no downtime where the link of one observer is down', () => {
    const up: SampleRun = { state: 'up', count: 100 };
    const reports = [
      report('a', 0, [up]),
      report('b', 0, [{ state: 'down', count: 100 }]),
      report('c', 0, [up]),
    ];
    expect(agreedRuns(termsOf(['a', 'b', 'c'], 100, 2), reports)).toEqual([up]);
  });

  test('may come in several reports, which tile the window', () => {
    const terms = termsOf(['a'], 10, 1);
    const part = (firstSlot: number, count: number) => report('a', firstSlot, [{ state: 'up', count }]);
    expect(agreedRuns(terms, [part(0, 4), part(4, 6)])).toEqual([{ state: 'up', count: 10 }]);
    expect(agreedRuns(terms, [part(0, 4), part(5, 5)])).toBeNull();
    expect(agreedRuns(terms, [part(0, 4), part(3, 7)])).toBeNull();
    expect(agreedRuns(terms, [part(4, 6), part(0, 4)])).toBeNull();
    expect(agreedRuns(terms, [part(0, 9)])).toBeNull();
    expect(agreedRuns(terms, [part(0, 11)])).toBeNull();
    expect(agreedRuns(terms, [])).toBeNull();
    expect(agreedRuns(terms, [part(0, 10), report('b', 0, [])])).toBeNull();
  });
});
