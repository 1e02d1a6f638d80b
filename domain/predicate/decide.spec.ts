import { expect, test } from 'vitest';
import { machineDecider, specify } from '../../test/support/decider.ts';
import { circuitStream, contextStream, nullifierStream } from './acceptance.ts';
import type { RequestPredicate } from './commands.ts';
import { decide } from './decide.ts';
import type { PredicateEvent } from './events.ts';
import { predicateMachine } from './machine.ts';
import { circuitIdOf } from './predicate.ts';

const { given } = specify(machineDecider(predicateMachine, decide));

const shape = ['ge', 0, 8] as const;
const circuitId = circuitIdOf(shape);
const command: RequestPredicate = { type: 'request', circuitId, shape, constraints: 5400, publicInputs: 8 };
const now = '2026-01-01T00:00:00.000Z';
const requested: PredicateEvent = {
  type: 'predicate.requested',
  machineVersion: 1,
  circuitId,
  shape,
  constraints: 5400,
  publicInputs: 8,
  requestedBy: 'subject-1',
  requestedAt: now,
};
const compiled: PredicateEvent = {
  type: 'predicate.compiled',
  r1csHash: 'aa',
  wasmHash: 'bb',
  constraints: 5342,
  publicInputs: 8,
  compiledAt: now,
};
const failed: PredicateEvent = {
  type: 'predicate.failed',
  code: 'RESOURCE_UNAVAILABLE',
  message: 'no tools',
};

test('R50: a circuit is asked for once', () => {
  given().when(command, { now, actor: 'subject-1' }).then(requested);
  given(requested)
    .when(command, { now })
    .thenRejects('CONFLICT', /compiling/);
  given(requested, compiled)
    .when(command, { now })
    .thenRejects('CONFLICT', /setting-up/);
});

test('what failed is asked for again', () => {
  given(requested, failed).when(command, { now, actor: 'subject-1' }).then(requested);
  const { state } = given(requested, compiled, failed, requested);
  expect(state.value).toBe('compiling');
  expect(state.context).toMatchObject({ compiled: null, failure: null });
});

test('a circuit is named by its shape', () => {
  given()
    .when({ ...command, shape: ['ge', 0, 9] })
    .thenRejects('INVALID_REQUEST', /another shape/, [
      { field: 'circuit_id', rule: 'the hash of the shape' },
    ]);
});

test('it has no deadline', () => {
  given(requested).when({ type: 'deadline', id: 'x', dueAt: now }).thenRejects('CONFLICT');
});

test('streams derive from what they stand for', () => {
  const ulid = /^(predicate|acceptance)-[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
  const names = [
    circuitStream(circuitId),
    nullifierStream(1n, '2'),
    nullifierStream(2n, '1'),
    contextStream(1n),
  ];
  for (const name of names) expect(name).toMatch(ulid);
  expect(new Set(names).size).toBe(names.length);
  expect(nullifierStream(1n, '2')).toBe(names[1]);
});
