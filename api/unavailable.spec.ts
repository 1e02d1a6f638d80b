import { expect, test } from 'vitest';
import { isUnavailable } from './unavailable.ts';

const withCode = (code: string | number, cause?: unknown): Error =>
  Object.assign(new Error('failed', { cause }), { code });

test.each<[string, unknown]>([
  ['a server that restarts', withCode('57P01')],
  ['a lock that was in the way', withCode('40P01')],
  ['a name that nobody knows', withCode('ENOTFOUND')],
  ['a host that no way leads to', withCode('EHOSTUNREACH')],
  ['a server that has become a standby', withCode('25006')],
  ['a server that hangs', new Error('Query read timeout')],
  ['Temporal out of reach', withCode(14)],
  ['Temporal in no time', withCode(4)],
  ['Temporal with too much to do', withCode(8)],
  [
    'a cause below',
    new Error('query failed', { cause: new Error('other', { cause: withCode('ECONNRESET') }) }),
  ],
  ['one of several addresses', new AggregateError([new Error('x'), withCode('ECONNREFUSED')])],
])('%s is no defect of ours', (_, error) => {
  expect(isUnavailable(error)).toBe(true);
});

test.each<[string, unknown]>([
  ['a wrong statement', withCode('42P01')],
  ['a gRPC refusal', withCode(5)],
  ['any other error', new Error('x', { cause: new Error('y') })],
  ['what is no error', '57P01'],
])('%s is', (_, error) => {
  expect(isUnavailable(error)).toBe(false);
});
