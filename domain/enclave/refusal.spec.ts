import { expect, test } from 'vitest';
import { ERROR_STATUS, type ErrorCode } from '../errors.ts';
import { blameFor, type RefusedOrder } from './refusal.ts';

const refused: RefusedOrder = {
  code: 'INVALID_REQUEST',
  errors: [],
  launched: false,
  order: [],
  artefacts: true,
};
const CODES = Object.keys(ERROR_STATUS) as ErrorCode[];

test.each(CODES)(
  '%s of an order that breaks a rule is nobody’s evidence, and names who ordered it',
  (code) => {
    for (const launched of [false, true]) {
      const order = [{ field: 'work.args.0', rule: 'no character U+0000' }];
      expect(blameFor({ ...refused, code, launched, order })).toEqual({
        fault: 'stopped',
        cause: 'submitter',
      });
      const module = [{ field: 'module', rule: 'a complete and valid module' }];
      expect(blameFor({ ...refused, code, launched, order: module })).toEqual({
        fault: 'stopped',
        cause: 'module',
      });
      expect(blameFor({ ...refused, code, launched, artefacts: false })).toEqual({
        fault: 'stopped',
        cause: 'engine',
      });
    }
  },
);

test.each<[string, Partial<RefusedOrder>, string]>([
  ['says that a sound order breaks a rule', {}, 'refusal'],
  ['says so of an enclave that it launched', { launched: true }, 'refusal'],
  ['says that it has no room for what it bid for', { code: 'RESOURCE_UNAVAILABLE' }, 'declared'],
  ['says that its platform is away', { code: 'TEE_UNAVAILABLE' }, 'declared'],
  ['says so of an enclave that it has launched', { code: 'TEE_UNAVAILABLE', launched: true }, 'refusal'],
  [
    'could not get the module from the engine',
    { code: 'RESOURCE_UNAVAILABLE', errors: [{ field: 'codeHash', rule: '' }] },
    'lost',
  ],
  [
    'names the module and says that it is wrong, which it is not',
    { errors: [{ field: 'codeHash', rule: '' }] },
    'refusal',
  ],
  ['has forgotten the enclave', { code: 'RESOURCE_NOT_FOUND', launched: true }, 'lost'],
  ['remembers another order under this id', { code: 'CONFLICT' }, 'lost'],
  ['works for others', { code: 'AUTHORIZATION_FAILED' }, 'refusal'],
])('a node that %s', (_, change, fault) => {
  expect(blameFor({ ...refused, ...change })).toEqual({ fault, cause: 'node' });
});
