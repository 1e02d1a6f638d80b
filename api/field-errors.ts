import type { z } from 'zod';
import type { FieldError } from '../domain/errors.ts';

type Issue = z.core.$ZodIssue;

const article = (type: string): string => (/^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`);

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    input,
  );

const measure = (origin: string): string =>
  origin === 'string' ? ' characters' : origin === 'array' ? ' items' : '';

const ruleOf = (issue: Issue, input: unknown): string => {
  switch (issue.code) {
    case 'invalid_type':
      return valueAt(input, issue.path) === undefined ? 'required' : article(issue.expected);
    case 'invalid_value':
      return issue.values.length === 1
        ? `exactly ${String(issue.values[0])}`
        : `one of ${issue.values.join(', ')}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${measure(issue.origin)}`;
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${measure(issue.origin)}`;
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    default:
      return issue.message;
  }
};

const nameOf = (path: readonly PropertyKey[], fallback: string): string =>
  path.map(String).join('.') || fallback;

const weightOf = (issues: readonly Issue[]): number =>
  issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);

/**
 * Zod's issues as the field and the rule in words, which never repeat the value. Of a union the branch that came closest
 * speaks. `whole` names the input itself (`body`, `query`).
 */
export const fieldErrors = (issues: readonly Issue[], input: unknown, whole: string): FieldError[] =>
  issues.flatMap((issue): FieldError[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        field: nameOf([...issue.path, key], whole),
        rule: 'not a known field',
      }));
    }
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      const closest = issue.errors.reduce((best, each) => (weightOf(each) < weightOf(best) ? each : best));
      return fieldErrors(
        closest.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })),
        input,
        whole,
      );
    }
    return [{ field: nameOf(issue.path, whole), rule: ruleOf(issue, input) }];
  });
