import { expect, test } from 'vitest';
import { predicateStory } from '../../test/support/stories/predicate.ts';
import type { AcceptanceEvent } from './acceptance.ts';
import { isShape, shapeOf } from './ir.ts';
import { readPredicate } from './predicate.ts';
import { predicateEventSchema } from './schema.ts';
import { STANDARD_SCHEMA } from './standard-schema.ts';

const ACCEPTED: AcceptanceEvent = {
  type: 'predicate.proof-accepted',
  machineVersion: 1,
  circuitId: 'ab'.repeat(32),
  scope: 'vote',
  nullifier: '12',
  context: '34',
  verifier: 'subject-1',
  acceptedAt: '2026-01-01T00:00:00.000Z',
};

test('stored events conform, and no member more', () => {
  const { events } = predicateStory(1, () => 2);
  for (const event of [...events, ACCEPTED]) {
    expect(predicateEventSchema.safeParse(event).error, event.type).toBeUndefined();
    expect(predicateEventSchema.safeParse({ ...event, secret: '1' }).success).toBe(false);
  }
});

test('a shape is known by its form', () => {
  const read = readPredicate('age >= 18 and (country in ["a","b"] or not trust == 0.5)', STANDARD_SCHEMA);
  if (!read.ok) throw new Error(read.message);
  expect(isShape(shapeOf(read.value.ir))).toBe(true);
  for (const other of [
    null,
    'eq',
    [],
    ['eq'],
    ['eq', '0'],
    ['eq', -1],
    ['ge', 0],
    ['and', ['eq', 0]],
    ['and', ['eq', 0], 1],
    ['xor', 1],
  ])
    expect(isShape(other)).toBe(false);
});
