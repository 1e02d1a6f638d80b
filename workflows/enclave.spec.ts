import { expect, test } from 'vitest';
import { enclaveLifecycle } from './enclave.ts';
import { type ActivityEffect, lifecycleAt } from './lifecycle.ts';

const enclave = lifecycleAt(enclaveLifecycle, 2);

const effects = Object.entries(enclave.effects) as [string, ActivityEffect<never>][];

test.each(effects.filter(([name]) => name !== 'destroyOnNode'))(
  'that the engine cannot %s, whatever it tries, is no fault of the node',
  (_, { failed }) => {
    expect(failed({} as never, 'the database is away')).toMatchObject([
      { type: 'enclave.failed', fault: 'stopped', message: 'the database is away' },
    ]);
  },
);

test('a run is repeated as often as workers come and go', () => {
  const { options } = enclave.effects['runOnNode'] as ActivityEffect<never>;
  expect(options.retry).not.toHaveProperty('maximumAttempts');
});
