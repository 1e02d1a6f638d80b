import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FAULT_CAUSES } from '../enclave/events.ts';
import { toMicro, units } from '../money.ts';
import { compensate, FORFEIT_PERCENT, forfeitOf, isDeclined, type NonDelivery } from './non-delivery.ts';

const DEPOSIT = toMicro('1000');
const KINDS = Object.keys(FORFEIT_PERCENT) as NonDelivery[];

describe('settled 39: what non-delivery costs', () => {
  test.each<[NonDelivery, string]>([
    ['declared', '100'],
    ['no-show', '250'],
    ['lost', '250'],
    ['refusal', '500'],
    ['attestation', '500'],
    ['deviation', '1000'],
    ['stopped', '0'],
  ])('%s: %s of a deposit of 1000', (kind, forfeit) => {
    expect(forfeitOf(DEPOSIT, kind)).toBe(forfeit);
  });

  test('settled 40: nothing where engine, submitter or module was the cause', () => {
    for (const kind of KINDS)
      for (const cause of FAULT_CAUSES.filter((each) => each !== 'node'))
        expect(forfeitOf(DEPOSIT, kind, cause)).toBe('0');
  });

  test('is rounded up, and never more than the deposit', () => {
    expect(forfeitOf(toMicro('101'), 'declared')).toBe('11');
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n }), fc.constantFrom(...KINDS), (deposit, kind) => {
        expect(units(forfeitOf(toMicro(deposit), kind)) <= deposit).toBe(true);
      }),
    );
  });
});

describe('settled 39: who gets it', () => {
  const members = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      providerId: `provider-${index}`,
      owner: `owner-${index}`,
    }));

  test('half the submitter, half the members that delivered; what cannot be divided the submitter', () => {
    expect(compensate(toMicro('1001'), members(3))).toEqual({
      submitter: '503',
      members: members(3).map((member) => ({ ...member, amount: '166' })),
    });
  });

  test('everything the submitter where nobody delivered', () => {
    expect(compensate(DEPOSIT, [])).toEqual({ submitter: '1000', members: [] });
  });

  test('whatever comes together is shared to the last unit, and the submitter gets half of it at least', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n }), fc.nat(8), (pot, count) => {
        const { submitter, members: shares } = compensate(toMicro(pot), members(count));
        expect(shares.reduce((sum, { amount }) => sum + units(amount), units(submitter))).toBe(pot);
        expect(2n * units(submitter) >= pot).toBe(true);
        expect(new Set(shares.map(({ amount }) => amount)).size).toBeLessThanOrEqual(1);
      }),
    );
  });
});

test('settled 38: only a standby that has not launched may decline', () => {
  const standby = { attested: false, hasDeposit: false };
  for (const fault of ['declared', 'refusal', 'no-show', 'lost'] as const) {
    expect(isDeclined(fault, standby)).toBe(true);
    expect(isDeclined(fault, { ...standby, hasDeposit: true })).toBe(false);
    expect(isDeclined(fault, { ...standby, attested: true })).toBe(false);
  }
  expect(isDeclined('attestation', standby)).toBe(false);
});
