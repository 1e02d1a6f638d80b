export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** A value as written; its meaning depends on the attribute it meets. */
export type Literal = { readonly at: number } & (
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
);

export interface AttributeName {
  readonly at: number;
  readonly name: string;
}

/** A predicate as written. `at` counts characters from 1. */
export type Expression =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Expression[] }
  | { readonly kind: 'not'; readonly term: Expression }
  | {
      readonly kind: 'compare';
      readonly attribute: AttributeName;
      readonly operator: ComparisonOperator;
      readonly literal: Literal;
    }
  | {
      readonly kind: 'between';
      readonly attribute: AttributeName;
      readonly low: Literal;
      readonly high: Literal;
    }
  | { readonly kind: 'in'; readonly attribute: AttributeName; readonly set: readonly Literal[] };
