import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, equalsJson } from './json.ts';

/** RFC 8785 as it reads: every object rebuilt with its members sorted, then written by JSON.stringify. */
const sortedByTheRule = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sortedByTheRule);
  const members = Object.entries(value).map(([name, member]) => [name, sortedByTheRule(member)] as const);
  // Not Object.fromEntries: it puts names that are numbers first.
  return new Map(members.toSorted(([a], [b]) => (a < b ? -1 : 1)));
};

const written = (value: unknown): string => {
  if (value instanceof Map) {
    const members = [...value].map(([name, member]) => `${JSON.stringify(name)}:${written(member)}`);
    return `{${members.join(',')}}`;
  }
  return Array.isArray(value) ? `[${value.map(written).join(',')}]` : JSON.stringify(value);
};

describe('canonical JSON', () => {
  test('is JSON with its members sorted, whatever texts, names and numbers there are', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.constantFrom('"', '\\', '\u007f', '\u2028'),
    );
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        text,
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(text, tie('value'), { maxKeys: 6 }),
      ),
    })).value;
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(value)).toBe(written(sortedByTheRule(value)));
      }),
      { numRuns: 500 },
    );
  });

  test('leaves out what is undefined, and refuses what JSON cannot carry', () => {
    expect(canonicalJson({ b: undefined, a: [undefined, 1] })).toBe('{"a":[null,1]}');
    for (const value of [1n, Number.NaN, Infinity, () => 0])
      expect(() => canonicalJson({ value: [value] })).toThrow(TypeError);
  });
});

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
