import fc from 'fast-check';
import type { AttributeSchema, AttributeValue } from '../../../domain/predicate/attributes.ts';

/** One attribute of each type, and a second number. */
export const SCHEMA: AttributeSchema = {
  name: 'example',
  attributes: [
    { name: 'age', type: 'integer', bits: 8 },
    { name: 'country', type: 'text' },
    { name: 'trust', type: 'decimal', bits: 10, scale: 3 },
    { name: 'member', type: 'boolean' },
    { name: 'score', type: 'integer', bits: 3 },
  ],
};

export type Person = Readonly<Record<string, AttributeValue>>;

const COUNTRIES = ['DE', 'FR', 'IT', 'x "quoted" \\ é'];

export const arbitraryPerson: fc.Arbitrary<Person> = fc.record({
  age: fc.nat(255),
  country: fc.constantFrom(...COUNTRIES),
  trust: fc.nat(1000).map((thousandths) => (thousandths / 1000).toFixed(3)),
  member: fc.boolean(),
  score: fc.nat(7),
});

/** A predicate as text, with its meaning written down a second time, without the code under test. */
export interface Sample {
  readonly text: string;
  readonly holds: (person: Person) => boolean;
}

const OPERATORS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

const numeric = fc.constantFrom(
  { name: 'age', maximum: 255, scale: 0 },
  { name: 'score', maximum: 7, scale: 0 },
  { name: 'trust', maximum: 1000, scale: 3 },
);

const comparison = fc
  .tuple(numeric, fc.constantFrom(...Object.keys(OPERATORS)), fc.nat(1023), fc.boolean())
  .map(([{ name, maximum, scale }, operator, drawn, flipped]): Sample => {
    const value = drawn % (maximum + 1);
    const literal = (value / 10 ** scale).toFixed(scale);
    const compare = OPERATORS[operator] as (a: number, b: number) => boolean;
    const units = (person: Person) => Math.round(Number(person[name]) * 10 ** scale);
    return flipped
      ? { text: `${literal} ${operator} ${name}`, holds: (person) => compare(value, units(person)) }
      : { text: `${name} ${operator} ${literal}`, holds: (person) => compare(units(person), value) };
  });

const between = fc.tuple(fc.nat(255), fc.nat(255), fc.boolean()).map(([a, b, negated]): Sample => {
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  const inside = (person: Person) => Number(person['age']) >= low && Number(person['age']) <= high;
  return negated
    ? { text: `age not between ${low} and ${high}`, holds: (person) => !inside(person) }
    : { text: `age BETWEEN ${low} AND ${high}`, holds: inside };
});

const membership = fc
  .tuple(fc.array(fc.constantFrom(...COUNTRIES), { minLength: 1, maxLength: 6 }), fc.boolean())
  .map(([set, negated]): Sample => {
    const list = set.map((country) => JSON.stringify(country)).join(', ');
    return {
      text: `country ${negated ? 'not in' : 'in'} [${list}]`,
      holds: (person) => set.includes(String(person['country'])) !== negated,
    };
  });

const flag = fc
  .boolean()
  .map((value): Sample => ({ text: `member == ${value}`, holds: (person) => person['member'] === value }));

/** Random predicates over `SCHEMA`, at most three levels deep. */
export const arbitrarySample: fc.Arbitrary<Sample> = fc.letrec<{ tree: Sample; leaf: Sample }>((tie) => ({
  leaf: fc.oneof(comparison, between, membership, flag),
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie('leaf'),
    fc.tuple(tie('tree'), tie('tree'), fc.constantFrom('and', 'or')).map(
      ([a, b, word]): Sample => ({
        text: `(${a.text}) ${word} (${b.text})`,
        holds: (person) =>
          word === 'and' ? a.holds(person) && b.holds(person) : a.holds(person) || b.holds(person),
      }),
    ),
    tie('tree').map((a): Sample => ({ text: `not (${a.text})`, holds: (person) => !a.holds(person) })),
  ),
})).tree;
