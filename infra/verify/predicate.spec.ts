import { describe, expect, test } from 'vitest';
import type { PredicateContext } from '../../domain/predicate/context.ts';
import { SAMPLE, SAMPLE_NOW } from '../../test/support/zk/sample.ts';
import { type PredicateInput, verifyPredicate } from './index.ts';

const verify = (change: Partial<PredicateInput> = {}) =>
  verifyPredicate({ ...SAMPLE, now: SAMPLE_NOW, ...change });

const brokenSteps = (change: Partial<PredicateInput>): readonly string[] => {
  const { valid, nullifier, reasons } = verify(change);
  expect([valid, nullifier]).toEqual([false, null]);
  return reasons.filter(({ ok }) => !ok).map(({ step, code }) => `${step}: ${code}`);
};

const expecting = (change: Partial<PredicateInput['expected']>) => ({
  expected: { ...SAMPLE.expected, ...change },
});
const inContext = (change: Partial<PredicateContext>) =>
  expecting({ context: { ...SAMPLE.expected.context, ...change } });

describe('R53, R54: a proof holds for one statement in one context', () => {
  test('the statement it was made for', () => {
    const { valid, nullifier, reasons } = verify();
    expect(valid).toBe(true);
    expect(nullifier).toBe(SAMPLE.publicInputs[0]);
    expect(reasons.every(({ code }) => code === 'OK')).toBe(true);
  });

  test('another threshold of the same circuit is another statement', () => {
    const other = SAMPLE.expected.predicate.replace('18', '21');
    expect(brokenSteps(expecting({ predicate: other }))).toEqual(['inputs.literals.0: INPUT_MISMATCH']);
  });

  test('another circuit', () => {
    expect(brokenSteps(expecting({ predicate: 'age >= 18' }))).toContain('circuit: CIRCUIT_MISMATCH');
  });

  test.each([
    ['verifier', { verifier: 'subject-other' }, ['inputs.context: INPUT_MISMATCH']],
    ['nonce', { nonce: '00'.repeat(16) }, ['inputs.context: INPUT_MISMATCH']],
    ['scope', { scope: 'other' }, ['inputs.context: INPUT_MISMATCH', 'inputs.scope: INPUT_MISMATCH']],
    [
      'time',
      { issuedAt: '2026-01-01T00:00:01.000Z' },
      ['inputs.context: INPUT_MISMATCH', 'inputs.now: INPUT_MISMATCH'],
    ],
    ['end', { expiresAt: '2026-01-01T00:31:00.000Z' }, ['inputs.context: INPUT_MISMATCH']],
    ['key', { keyHash: '00'.repeat(32) }, ['key: KEY_MISMATCH', 'inputs.context: INPUT_MISMATCH']],
  ])('another %s of the context', (_, change, steps) => {
    expect(brokenSteps(inContext(change))).toEqual(steps);
  });

  test('a context that has expired, has not begun, or lives too long', () => {
    expect(brokenSteps({ now: '2026-01-01T00:30:00.000Z' })).toEqual(['time: EXPIRED']);
    expect(brokenSteps({ now: '2025-12-31T23:58:59.999Z' })).toEqual(['time: NOT_YET']);
    expect(brokenSteps(inContext({ expiresAt: '2026-01-01T01:00:00.001Z' }))).toContain('time: TOO_LONG');
    expect(brokenSteps(inContext({ expiresAt: '2025-12-31T00:00:00Z' }))).toContain('time: TOO_LONG');
  });

  test('another issuer, or a key that nobody or everybody could sign under', () => {
    const { x, y } = SAMPLE.expected.issuer;
    const r = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
    const order2 = { x: '0', y: String(r - 1n) };
    for (const issuer of [
      { x: '0', y: '1' },
      order2,
      { x, y: '1' },
      { x: String(BigInt(x) + r), y },
      { x: '', y },
    ])
      expect(brokenSteps(expecting({ issuer }))).toContain('issuer: BAD_ISSUER');
    const negated = { x: String(r - BigInt(x)), y };
    expect(brokenSteps(expecting({ issuer: negated }))).toEqual(['inputs.issuer.x: INPUT_MISMATCH']);
  });

  test('another schema under the same names', () => {
    const schema = { ...SAMPLE.expected.schema, name: 'impostor' };
    expect(brokenSteps(expecting({ schema }))).toEqual(['inputs.schema: INPUT_MISMATCH']);
  });

  test('every input is compared, not only the pairing', () => {
    SAMPLE.publicInputs.forEach((value, index) => {
      const steps = brokenSteps({
        publicInputs: SAMPLE.publicInputs.with(index, String(BigInt(value) + 1n)),
      });
      expect(steps).toContain('proof: BAD_PROOF');
      if (index > 0) expect(steps[0]).toMatch(/^inputs\..*: INPUT_MISMATCH$/);
    });
    expect(brokenSteps({ publicInputs: SAMPLE.publicInputs.slice(0, -1) })).toContain('inputs: BAD_INPUTS');
    expect(brokenSteps({ publicInputs: 'none' })).toContain('inputs: BAD_INPUTS');
  });

  test('what cannot be read is refused before anything else', () => {
    expect(brokenSteps(expecting({ predicate: 'height > 3' }))).toContain('predicate: BAD_PREDICATE');
    expect(brokenSteps(inContext({ nonce: 'short' }))).toContain('context: BAD_CONTEXT');
    expect(brokenSteps(inContext({ issuedAt: '2026-01-01T99:00:00Z' }))).toContain('context: BAD_CONTEXT');
    expect(brokenSteps({ verificationKey: null })).toContain('key: BAD_KEY');
  });
});
