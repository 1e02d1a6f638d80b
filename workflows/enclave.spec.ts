import { expect, test } from 'vitest';
import { ENCLAVE_VERSION } from '../domain/enclave/machine.ts';
import { enclaveLifecycle } from './enclave.ts';
import { type ActivityEffect, lifecycleAt } from './lifecycle.ts';

const failedBy = (version: number, effect: string) =>
  (lifecycleAt(enclaveLifecycle, version).effects[effect] as ActivityEffect<never>).failed(
    {} as never,
    'the database is away',
  );

test.each(['createOnNode', 'attest', 'reattest', 'runOnNode'])(
  'that the engine cannot %s, whatever it tries, is no fault of the node',
  (effect) => {
    expect(failedBy(ENCLAVE_VERSION, effect)).toMatchObject([
      { type: 'enclave.failed', fault: 'stopped', cause: 'engine', message: 'the database is away' },
    ]);
  },
);

test.each([
  [1, 'createOnNode', 'no-show'],
  [1, 'attest', 'attestation'],
  [2, 'reattest', 'lost'],
  [2, 'runOnNode', 'lost'],
])(
  'an enclave of version %i that %s failed in keeps the verdict it began with: %s',
  (version, effect, fault) => {
    expect(failedBy(version, effect)).toMatchObject([{ type: 'enclave.failed', fault }]);
  },
);

test('a run is repeated as often as workers come and go', () => {
  const { options } = lifecycleAt(enclaveLifecycle, ENCLAVE_VERSION).effects[
    'runOnNode'
  ] as ActivityEffect<never>;
  expect(options.retry).not.toHaveProperty('maximumAttempts');
});
