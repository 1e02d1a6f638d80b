import { expect, test } from 'vitest';
import { isTransient } from './transient.ts';

const withCode = (code: string): Error => Object.assign(new Error('failed'), { code });

test.each([
  ...[
    '57P01',
    '57P02',
    '57P03',
    '57P05',
    '57014',
    '08006',
    '08P01',
    '25006',
    '25P03',
    '40001',
    '40P01',
    '55P03',
  ],
  ...[
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
  ],
])('%s passes', (code) => {
  expect(isTransient(withCode(code))).toBe(true);
});

test.each([
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Query read timeout',
  'Client was closed and is not queryable',
])('“%s” passes', (message) => {
  expect(isTransient(new Error(message))).toBe(true);
});

test('what Node gives when a name has several addresses and none answers passes', () => {
  expect(isTransient(new AggregateError([withCode('ECONNREFUSED'), withCode('EHOSTUNREACH')]))).toBe(true);
});

test('what lies in the statement or the data does not', () => {
  for (const code of ['23505', '42P01', '22P02', '53100']) expect(isTransient(withCode(code))).toBe(false);
  expect(isTransient(new AggregateError([withCode('ECONNREFUSED'), withCode('42P01')]))).toBe(false);
  expect(isTransient(new Error('anything else'))).toBe(false);
  expect(isTransient('57P01')).toBe(false);
});
