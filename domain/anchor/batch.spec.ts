import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addMs, instant } from '../time.ts';
import { type BatchState, isBatchDue } from './batch.ts';

const POLICY = { leaves: 50n, intervalMs: 10_000 };
const START = instant(0);
const state = (change: Partial<BatchState> = {}): BatchState => ({
  newest: 120n,
  previous: { size: 100n, begunAt: START },
  urgent: null,
  now: START,
  ...change,
});

it('R45: a batch is due by number, by time or when asked for, and never without anything new', () => {
  expect(isBatchDue(state(), POLICY)).toBe(false);
  expect(isBatchDue(state({ newest: 149n }), POLICY)).toBe(false);
  expect(isBatchDue(state({ newest: 150n }), POLICY)).toBe(true);
  expect(isBatchDue(state({ now: addMs(START, 9_999) }), POLICY)).toBe(false);
  expect(isBatchDue(state({ now: addMs(START, 10_000) }), POLICY)).toBe(true);
  expect(isBatchDue(state({ urgent: 100n }), POLICY)).toBe(false);
  expect(isBatchDue(state({ urgent: 101n }), POLICY)).toBe(true);
  expect(isBatchDue(state({ previous: null, newest: 1n }), POLICY)).toBe(true);
  expect(isBatchDue(state({ previous: null, newest: 0n }), POLICY)).toBe(false);
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 100n }), fc.nat(), (newest, ms) => {
      expect(isBatchDue(state({ newest, now: addMs(START, ms), urgent: newest }), POLICY)).toBe(false);
    }),
  );
});
