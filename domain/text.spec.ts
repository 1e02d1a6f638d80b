import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from './json.ts';
import {
  isUnstorable,
  JSON_BOUNDS,
  jsonFault,
  nameFault,
  shownTail,
  shownText,
  storable,
  textFault,
} from './text.ts';

/** Any sequence of UTF-16 units, the broken ones among them. */
const units = fc
  .array(
    fc.oneof(
      fc.constantFrom(0, 0x1b, 0x0d, 0x0a, 0x202e, 0x2028, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0x5c, 0x75, 0x30),
      fc.nat(0xffff),
    ),
    { maxLength: 40 },
  )
  .map((codes) => String.fromCharCode(...codes));

const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

const nested = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
};

describe('text', () => {
  test.each(['', 'plain', 'a\nb\tc', '\u001b[2J', '\ud83d\ude00', 'ünï\u2028'])('may be %j', (text) => {
    expect(textFault(text)).toBeNull();
  });

  test.each([
    ['a\0b', 'no character U+0000'],
    ['\ud800', 'well-formed Unicode: no half of a surrogate pair'],
    ['a\udc00\ud800', 'well-formed Unicode: no half of a surrogate pair'],
  ])('may not be %j', (text, rule) => {
    expect(textFault(text)).toBe(rule);
    expect(nameFault(text)).toBe(rule);
  });
});

describe('a name', () => {
  test.each(['eu-west', 'São Paulo', '東京', 'a b'])('may be %j', (text) => {
    expect(nameFault(text)).toBeNull();
  });

  test.each([
    'a\nb',
    '\u001b[31m',
    'a\u0085',
    'eu\u202ewest',
    'eu\u200bwest',
    '\ufeffeu',
    'a\u2028',
    ' eu',
    'eu\u00a0',
  ])('may not be %j', (text) => {
    expect(nameFault(text)).not.toBeNull();
  });
});

describe('text for display', () => {
  test('keeps lines and tabs, and replaces what a terminal would obey', () => {
    expect(shownText('a\tb\r\nc\u001b[2J\u202ed\0\ud800', 100)).toBe('a\tb\nc\ufffd[2J\ufffdd\ufffd\ufffd');
  });

  test('is cut at either end, never through a pair into something that is no text', () => {
    expect(shownText('ab\ud83d\ude00', 3)).toBe('ab\ufffd');
    expect(shownTail('\ud83d\ude00ab', 3)).toBe('\ufffdab');
  });

  test('is always storable and within its length, and mending it again changes nothing', () => {
    fc.assert(
      fc.property(units, fc.integer({ min: 1, max: 50 }), (text, most) => {
        for (const shown of [shownText(text, most), shownTail(text, most)]) {
          expect(isStorable(shown)).toBe(true);
          expect(shown.length).toBeLessThanOrEqual(most);
          expect(shownText(shown, most)).toBe(shown);
        }
      }),
    );
  });
});

describe('JSON from outside', () => {
  test.each<[unknown, string, string]>([
    [{ a: ['\0'] }, 'a.0', 'no character U+0000'],
    ['\ud800', 'body', 'well-formed Unicode: no half of a surrogate pair'],
    [{ a: { 'x\0': 1 } }, 'a.x\ufffd', "a member's name: no character U+0000"],
    [{ a: Number.POSITIVE_INFINITY }, 'a', 'a finite number'],
    [[2 ** 53], '0', 'a number that JSON carries exactly: a whole one within ±(2^53 − 1)'],
    [nested(33), Array(32).fill('0').join('.'), 'at most 32 levels deep'],
    [Array(JSON_BOUNDS.members + 1).fill(0), 'body', 'at most 200000 members and items in all'],
  ])('names the place and the rule', (value, field, rule) => {
    expect(jsonFault(value, 'body')).toEqual({ field, rule });
  });

  test.each([nested(32), Array(JSON_BOUNDS.members).fill(0), { a: [0.1, -0, 2 ** 53 - 1, null, true, ''] }])(
    'passes within its bounds',
    (value) => {
      expect(jsonFault(value, 'body')).toBeNull();
    },
  );

  test('nested a million deep is refused, and nothing overflows', () => {
    expect(jsonFault(nested(1_000_000), 'body')?.rule).toBe('at most 32 levels deep');
  });

  test('stored before the gate stood, it is mended with marks that can be seen', () => {
    expect(storable({ a: ['x\0y', { '\ud800': '\udc00' }], b: 1 })).toEqual({
      a: ['x\u2400y', { '\ufffd': '\ufffd' }],
      b: 1,
    });
  });

  test('its text form is storable exactly when every text in it is', () => {
    const json = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        units,
        fc.integer(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(units, tie('value'), { maxKeys: 3 }),
      ),
    })).value;
    const allStorable = (value: unknown): boolean =>
      typeof value === 'string'
        ? isStorable(value)
        : typeof value !== 'object' ||
          value === null ||
          Object.entries(value).every(([key, member]) => isStorable(key) && allStorable(member));
    fc.assert(
      fc.property(json, (value) => {
        const mended = storable(value);
        expect(allStorable(mended)).toBe(true);
        if (allStorable(value)) expect(mended).toBe(value);
        expect(isUnstorable(canonicalJson(value))).toBe(!allStorable(value));
        expect(isUnstorable(JSON.stringify(value))).toBe(!allStorable(value));
      }),
      { numRuns: 500 },
    );
  });
});
