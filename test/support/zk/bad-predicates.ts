import fc from 'fast-check';
import { isKeyword } from '../../../domain/predicate/attributes.ts';
import { PREDICATE_LIMITS } from '../../../domain/predicate/limits.ts';

/** A text that is no predicate over `age`, `country`, `trust`, `member` and `score`, and what its refusal must say. */
interface BadPredicate {
  readonly text: string;
  readonly rule: RegExp;
}

const KNOWN = ['age', 'country', 'trust', 'member', 'score'];

const missing = fc
  .oneof(
    fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,30}$/),
    fc.constantFrom('constructor', '__proto__', 'Age'),
  )
  .filter((name) => !isKeyword(name) && !KNOWN.includes(name))
  .chain((name) =>
    fc.constantFrom(`${name} >= 18`, `18 < ${name}`, `${name} in ["DE"]`, `age >= 18 and ${name} == true`),
  )
  .map((text): BadPredicate => ({ text, rule: /: an attribute of the schema: / }));

const tooDeep = fc
  .array(fc.constantFrom('(', 'not ', 'NOT '), { minLength: PREDICATE_LIMITS.depth + 1, maxLength: 200 })
  .map((opened): BadPredicate => {
    const closed = ')'.repeat(opened.filter((word) => word === '(').length);
    return {
      text: `${opened.join('')}age >= 18${closed}`,
      rule: /: at most 8 nested parentheses and negations$/,
    };
  });

const tooLarge = fc.array(fc.nat(255), { minLength: PREDICATE_LIMITS.setSize + 1, maxLength: 400 }).map(
  (members): BadPredicate => ({
    text: `age in [${members.join()}]`,
    rule: /: at most 64 members of a set$/,
  }),
);

export const badPredicate: fc.Arbitrary<BadPredicate> = fc.oneof(missing, tooDeep, tooLarge);
