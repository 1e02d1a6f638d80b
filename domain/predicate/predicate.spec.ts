import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { badPredicate } from '../../test/support/zk/bad-predicates.ts';
import { arbitraryPerson, arbitrarySample, type Person, SCHEMA } from '../../test/support/zk/predicates.ts';
import { type AttributeSchema, encodeValue } from './attributes.ts';
import { holds } from './evaluate.ts';
import { fieldOf } from './field.ts';
import { literalsOf, shapeOf } from './ir.ts';
import { type Predicate, readPredicate } from './predicate.ts';

const read = (text: string, schema: AttributeSchema = SCHEMA): Predicate => {
  const result = readPredicate(text, schema);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.value;
};

const slotsOf = (person: Person): bigint[] =>
  SCHEMA.attributes.map((attribute) => encodeValue(attribute, person[attribute.name] ?? '') as bigint);

const rulesOf = (text: string, schema: AttributeSchema = SCHEMA): readonly string[] => {
  const result = readPredicate(text, schema);
  return result.ok ? [] : (result.errors ?? []).map(({ field, rule }) => `${field}: ${rule}`);
};

describe('R49: a bounded language', () => {
  test('the example of the issue has one shape and six literals', () => {
    const { shape, literals, circuitId, cost } = read(
      'age >= 18 and country in ["DE","FR"] and trust >= 0.8',
    );
    expect(shape).toEqual(['and', ['ge', 0, 8], ['ge', 2, 10], ['in', 1, 2]]);
    expect(literals.slice(0, 2)).toEqual([18n, 800n]);
    expect(new Set(literals.slice(2))).toEqual(new Set([fieldOf('text', 'DE'), fieldOf('text', 'FR')]));
    expect(circuitId).toMatch(/^[0-9a-f]{64}$/);
    expect(cost.publicInputs).toBe(11);
  });

  test('predicates that differ in literals alone share a circuit; others do not', () => {
    const { circuitId } = read('age >= 18');
    for (const same of ['age >= 21', 'age > 20', '18 <= age', 'not (age < 5)', 'not not age >= 1'])
      expect(read(same).circuitId, same).toBe(circuitId);
    for (const other of ['age <= 18', 'trust >= 0.018', 'score >= 1', 'age == 18'])
      expect(read(other).circuitId, other).not.toBe(circuitId);
  });

  test('sets share a circuit up to the next power of two', () => {
    expect(read('country in ["a","b","c"]').shape).toEqual(['in', 1, 4]);
    expect(read('country in ["a","b","c"]').circuitId).toBe(read('country in ["d","e","f","g"]').circuitId);
    expect(read('country in ["a","a"]').shape).toEqual(['eq', 1]);
    expect(read('score not in [1, 2]').literals).toEqual([1n, 2n]);
  });

  test('the canonical form depends on the meaning, not on the writing', () => {
    const { circuitId, literals } = read('age >= 18 and (trust < 0.5 or member == true)');
    for (const same of [
      '(member == true or 0.5 > trust) and age > 17',
      'NOT (age < 18 OR (trust >= 0.500 AND member != true))',
      'age >= 18 and age >= 18 and (trust <= 0.499 or (member == true))',
    ]) {
      expect(read(same).circuitId, same).toBe(circuitId);
      expect(read(same).literals, same).toEqual(literals);
    }
  });

  test('what always holds is left out of a conjunction', () => {
    expect(read('age >= 0 and score == 3').shape).toEqual(['eq', 4]);
    expect(read('age between 0 and 9').shape).toEqual(['le', 0, 8]);
  });
});

describe('refusals name field, character and rule', () => {
  test.each([
    ['', 'predicate: character 1: an attribute, a value, not, or ('],
    ['age >=', 'predicate: character 7: a value'],
    ['age >= 18 and', 'predicate: character 14: an attribute, a value, not, or ('],
    ['age >= 18 country', 'predicate: character 11: and, or, or the end'],
    ['(age >= 18', 'predicate: character 11: ) here'],
    ['age = 18', 'predicate: character 5: equality is written =='],
    ["country == 'DE'", 'predicate: character 12: texts stand in double quotes'],
    ['country == "DE', 'predicate: character 12: a text that ends with "'],
    ['country == "\\x"', 'predicate: character 12: a text with the escapes of JSON'],
    ['country == "\\ud800"', 'predicate: character 12: a text with the escapes of JSON'],
    ['age >= -1', 'predicate: character 8: numbers have no sign'],
    ['age not >= 1', 'predicate: character 9: in or between after not'],
    ['age in []', 'predicate: character 9: a value'],
    ['18 >= 21', 'predicate: character 7: an attribute'],
    ['age between 3 or 5', 'predicate: character 15: and here'],
    ['age between 5 and 3', 'predicate: character 13: the lower bound first'],
    [
      'age ; drop',
      'predicate: character 5: names, numbers, texts in double quotes, == != < <= > >= ( ) [ ] and commas only',
    ],
    ['height >= 3', 'predicate: character 1: an attribute of the schema: age, country, trust, member, score'],
    ['country < "DE"', 'predicate: character 1: text attributes have no order: use ==, != or in'],
    ['member > false', 'predicate: character 1: boolean attributes have no order: use ==, != or in'],
    ['age == "18"', 'predicate: character 8: a number, as age is of type integer'],
    ['country == 18', 'predicate: character 12: a text, as country is of type text'],
    ['member == 1', 'predicate: character 11: true or false, as member is of type boolean'],
    ['age >= 256', 'predicate: character 8: at most 255, as age is of type integer'],
    ['age >= 1.5', 'predicate: character 8: a whole number, as age is of type integer'],
    [
      'trust >= 0.8001',
      'predicate: character 10: at most 3 digits after the point, as trust is of type decimal',
    ],
    ['trust >= 2', 'predicate: character 10: at most 1.023, as trust is of type decimal'],
    ['age >= 0', 'predicate: character 1: a condition that can fail and can hold; this one is always true'],
    ['age > 255', 'predicate: character 1: a condition that can fail and can hold; this one is always false'],
  ])('%s', (text, rule) => {
    expect(rulesOf(text)).toEqual([rule]);
  });

  test('every fault of meaning is named at once, in order', () => {
    expect(rulesOf('height == 1 and country == 2 and weight == 3').map((rule) => rule.slice(0, 25))).toEqual([
      'predicate: character 1: a',
      'predicate: character 28: ',
      'predicate: character 34: ',
    ]);
  });

  test('R49: caps on length, depth, clauses, set size and constraints come before any compilation', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}age >= 18${')'.repeat(depth)}`;
    expect(rulesOf(nested(8))).toEqual([]);
    expect(rulesOf(nested(9))).toEqual([
      'predicate: character 9: at most 8 nested parentheses and negations',
    ]);
    expect(rulesOf(`${'not '.repeat(9)}age >= 18`)).toEqual([
      'predicate: character 33: at most 8 nested parentheses and negations',
    ]);
    const set = (size: number) => `age in [${Array.from({ length: size }, (_, index) => index).join()}]`;
    expect(rulesOf(set(64))).toEqual([]);
    expect(rulesOf(set(65))).toEqual([
      `predicate: character ${set(64).length + 1}: at most 64 members of a set`,
    ]);
    expect(rulesOf(Array.from({ length: 33 }, (_, index) => `age != ${index}`).join(' and '))).toEqual([
      expect.stringContaining('at most 32 comparisons'),
    ]);
    expect(rulesOf(`age >= 18${' '.repeat(2000)}`)).toEqual([
      'predicate: character 2001: at most 2000 characters',
    ]);
    expect(rulesOf(`${set(64)} and (score == 9 or ${set(60)})`)[0]).toContain('at most 7');
    expect(rulesOf(`${set(64)} and (score == 1 or ${set(60)})`)).toEqual([
      'predicate: character 1: at most 128 public inputs; this one needs 136',
    ]);
    const wide: AttributeSchema = {
      name: 'wide',
      attributes: Array.from({ length: 8 }, (_, index) => ({ name: `a${index}`, type: 'integer', bits: 64 })),
    };
    const ranges = wide.attributes
      .map(({ name }) => `${name} between 10 and 20 and ${name} >= 5`)
      .join(' and ');
    expect(rulesOf(ranges, wide)).toEqual([
      expect.stringMatching(/at most \d+ constraints; this one needs \d+$/),
    ]);
  });

  test('a schema that no credential could have', () => {
    expect(
      rulesOf('a == 1', {
        name: '',
        attributes: [
          { name: 'a', type: 'integer', bits: 65 },
          { name: 'in', type: 'decimal', bits: 8, scale: 0 },
          { name: 'a', type: 'text' },
        ],
      }).map((rule) => rule.split(':')[0]),
    ).toEqual([
      'schema.attributes.0.bits',
      'schema.attributes.1.name',
      'schema.attributes.1.scale',
      'schema.name',
      'schema.attributes',
    ]);
    expect(rulesOf('a == 1', { name: 'empty', attributes: [] })).toEqual(['schema.attributes: 1 to 8 items']);
  });
});

describe('properties', () => {
  test('the canonical form means what was written', () => {
    fc.assert(
      fc.property(
        arbitrarySample,
        fc.array(arbitraryPerson, { minLength: 5, maxLength: 5 }),
        (sample, people) => {
          const result = readPredicate(sample.text, SCHEMA);
          for (const person of people) {
            if (result.ok) expect(holds(result.value.ir, slotsOf(person))).toBe(sample.holds(person));
            else {
              // Random trees break two rules only: a constant, or too many nested parentheses.
              const [constant] =
                /always (true|false)|nested parentheses/.exec(JSON.stringify(result.errors)) ?? [];
              expect(constant).toBeDefined();
              if (constant?.startsWith('always')) expect(`always ${sample.holds(person)}`).toBe(constant);
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('canonical form is a fixed point: its shape and literals do not depend on order or repetition', () => {
    fc.assert(
      fc.property(arbitrarySample, arbitrarySample, fc.constantFrom('and', 'or'), (a, b, word) => {
        const one = readPredicate(`(${a.text}) ${word} (${b.text})`, SCHEMA);
        const other = readPredicate(`(${b.text}) ${word} (${a.text}) ${word} (${b.text})`, SCHEMA);
        if (!one.ok || !other.ok) return;
        expect(other.value.circuitId).toBe(one.value.circuitId);
        expect(other.value.literals).toEqual(one.value.literals);
        expect(shapeOf(one.value.ir)).toEqual(one.value.shape);
        expect(literalsOf(one.value.ir)).toEqual(one.value.literals);
      }),
    );
  });

  test('an attribute that is missing, a tree that is too deep and a set that is too large are refused by name', () => {
    fc.assert(
      fc.property(badPredicate, ({ text, rule }) => {
        const result = readPredicate(text, SCHEMA);
        expect(result).toMatchObject({
          ok: false,
          code: 'INVALID_REQUEST',
          errors: [{ field: 'predicate' }],
        });
        expect(rulesOf(text)[0]).toMatch(rule);
      }),
      { numRuns: 1000 },
    );
  });

  test('any text is a predicate or a refusal, never an exception', () => {
    const words = fc.constantFrom(
      ...[
        'age',
        'country',
        'and',
        'or',
        'not',
        'in',
        'between',
        '(',
        ')',
        '[',
        ']',
        ',',
        '>=',
        '==',
        '18',
        '0.5',
      ],
      ...['"DE"', 'true', '"', '\\', '\u0000', '999999999999999999999999', ' '],
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words, { maxLength: 40 }).map((all) => all.join(' ')),
    );
    fc.assert(
      fc.property(text, (source) => {
        const result = readPredicate(source, SCHEMA);
        if (!result.ok) for (const { field } of result.errors ?? []) expect(field).toBe('predicate');
      }),
      { numRuns: 2000 },
    );
  });
});
