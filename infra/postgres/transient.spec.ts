import { expect, test } from 'vitest';
import { isTransient } from './transient.ts';

const withCode = (code: string): Error => Object.assign(new Error('failed'), { code });

test('lost connections, restarts and lock conflicts pass', () => {
  for (const code of ['57P01', '57P03', '08006', '40001', '40P01', 'ECONNREFUSED', 'ECONNRESET']) {
    expect(isTransient(withCode(code))).toBe(true);
  }
  expect(isTransient(new Error('Connection terminated unexpectedly'))).toBe(true);
  expect(isTransient(new Error('timeout exceeded when trying to connect'))).toBe(true);
  // What Node gives when a name has several addresses and none answers.
  expect(isTransient(new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')]))).toBe(true);
});

test('what lies in the statement or the data does not', () => {
  for (const code of ['23505', '42P01', '22P02', '53100']) expect(isTransient(withCode(code))).toBe(false);
  expect(isTransient(new AggregateError([withCode('ECONNREFUSED'), withCode('42P01')]))).toBe(false);
  expect(isTransient(new Error('anything else'))).toBe(false);
  expect(isTransient('57P01')).toBe(false);
});
