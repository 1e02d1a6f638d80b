import { expect, test } from 'vitest';
import { newestVersion, type Upcasters, upcast } from './upcasters.ts';

const upcasters: Upcasters = {
  'sample.happened': {
    1: ({ name, ...rest }) => ({ ...rest, label: name }),
    2: (data, { occurredAt }) => ({ ...data, at: occurredAt }),
  },
};
const event = (schemaVersion: number, data = {}) => ({
  type: 'sample.happened',
  schemaVersion,
  data,
  occurredAt: '2026-01-01T00:00:00.000Z',
});

test('lifts step by step from the stored version to the newest', () => {
  expect(upcast(upcasters, event(1, { name: 'a' }))).toEqual(
    event(3, { label: 'a', at: '2026-01-01T00:00:00.000Z' }),
  );
  expect(upcast(upcasters, event(2, { label: 'a' }))).toEqual(
    event(3, { label: 'a', at: '2026-01-01T00:00:00.000Z' }),
  );
});

test('returns the very event when there is nothing to lift', () => {
  for (const newest of [
    event(3),
    { ...event(1), type: 'sample.ended' },
    { ...event(1), type: 'constructor' },
  ]) {
    expect(upcast(upcasters, newest)).toBe(newest);
  }
});

test('leaves the stored event as it is', () => {
  const stored = event(1, { name: 'a' });
  upcast(upcasters, stored);
  expect(stored).toEqual(event(1, { name: 'a' }));
});

test('a type is written in the version that its steps lead to, and in the first where there are none', () => {
  expect(newestVersion(upcasters, 'sample.happened')).toBe(3);
  for (const type of ['sample.ended', 'constructor']) expect(newestVersion(upcasters, type)).toBe(1);
});
