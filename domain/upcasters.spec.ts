import { expect, test } from 'vitest';
import { type Upcasters, upcast } from './upcasters.ts';

const upcasters: Upcasters = {
  'sample.happened': {
    1: ({ name, ...rest }) => ({ ...rest, label: name }),
    2: (data) => ({ ...data, colour: null }),
  },
};
const event = (schemaVersion: number, data = {}) => ({
  type: 'sample.happened',
  schemaVersion,
  data,
  actor: 'engine',
});

test('lifts step by step from the stored version to the newest', () => {
  expect(upcast(upcasters, event(1, { name: 'a' }))).toEqual(event(3, { label: 'a', colour: null }));
  expect(upcast(upcasters, event(2, { label: 'a' }))).toEqual(event(3, { label: 'a', colour: null }));
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
