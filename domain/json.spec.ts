import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, equalsJson } from './json.ts';

describe('equal JSON', () => {
  test('is what has one canonical form', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(equalsJson(a, structuredClone(a))).toBe(true);
        expect(equalsJson(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
      }),
    );
  });

  test.each([
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: 1 }, { b: 1 }],
    [['a'], { 0: 'a' }],
    [{ toString: 1 }, { valueOf: 1 }],
    [1, '1'],
    [{}, null],
  ])('%j is not %j', (a, b) => {
    expect(equalsJson(a, b)).toBe(false);
    expect(equalsJson(b, a)).toBe(false);
  });

  test('stands foreign JSON that is nested without end', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(400_000)}${']'.repeat(400_000)}`);
    expect(equalsJson({ a: [1] }, { a: deep })).toBe(false);
  });
});
