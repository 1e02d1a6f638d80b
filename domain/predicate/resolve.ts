import type { AttributeName, ComparisonOperator, Expression, Literal } from './ast.ts';
import { type Attribute, type AttributeSchema, encodeValue } from './attributes.ts';
import { atLeast, atMost, equals, type Folded, isIn, join, negate } from './canonical.ts';
import { PREDICATE_LIMITS } from './limits.ts';
import type { SyntaxFault } from './tokens.ts';

/** The canonical form of an expression over the attributes of a schema, or every rule that it breaks. */
export const resolve = (
  expression: Expression,
  schema: AttributeSchema,
): { readonly folded: Folded } | { readonly faults: readonly SyntaxFault[] } => {
  const resolver = new Resolver(schema);
  const folded = resolver.fold(expression);
  const faults = resolver.faults.toSorted((a, b) => a.at - b.at);
  return faults.length > 0 ? { faults } : { folded };
};

class Resolver {
  readonly faults: SyntaxFault[] = [];
  readonly #schema: AttributeSchema;
  #clauses = 0;

  constructor(schema: AttributeSchema) {
    this.#schema = schema;
  }

  fold(expression: Expression): Folded {
    switch (expression.kind) {
      case 'and':
      case 'or':
        return join(
          expression.kind,
          expression.terms.map((term) => this.fold(term)),
        );
      case 'not':
        return negate(this.fold(expression.term));
      case 'compare':
        return this.#compare(expression.attribute, expression.operator, expression.literal);
      case 'between':
        return this.#between(expression.attribute, expression.low, expression.high);
      case 'in': {
        const slot = this.#slot(expression.attribute, 1);
        if (!slot) return false;
        return isIn(
          slot.index,
          expression.set.map((literal) => this.#encode(slot.attribute, literal)),
        );
      }
    }
  }

  /** The slot of an attribute, counted as so many clauses; a fault when the schema has none. */
  #slot({ at, name }: AttributeName, clauses: number): { index: number; attribute: Attribute } | null {
    this.#clauses += clauses;
    if (this.#clauses > PREDICATE_LIMITS.clauses && this.#clauses - clauses <= PREDICATE_LIMITS.clauses) {
      this.faults.push({ at, rule: `at most ${PREDICATE_LIMITS.clauses} comparisons` });
    }
    const { attributes } = this.#schema;
    const index = attributes.findIndex((attribute) => attribute.name === name);
    const attribute = attributes[index];
    if (attribute) return { index, attribute };
    this.faults.push({
      at,
      rule: `an attribute of the schema: ${attributes.map((each) => each.name).join(', ')}`,
    });
    return null;
  }

  #encode(attribute: Attribute, literal: Literal): bigint {
    const given = literal.kind === 'number' ? literal.text : literal.value;
    const accepts = { text: 'text', boolean: 'boolean', integer: 'number', decimal: 'number' }[
      attribute.type
    ];
    const encoded =
      accepts === literal.kind ? encodeValue(attribute, given) : WANTED[accepts as keyof typeof WANTED];
    if (typeof encoded === 'bigint') return encoded;
    this.faults.push({
      at: literal.at,
      rule: `${encoded}, as ${attribute.name} is of type ${attribute.type}`,
    });
    return 0n;
  }

  #ordered(name: AttributeName, attribute: Attribute): number {
    if ('bits' in attribute) return attribute.bits;
    this.faults.push({ at: name.at, rule: `${attribute.type} attributes have no order: use ==, != or in` });
    return 1;
  }

  #compare(name: AttributeName, operator: ComparisonOperator, literal: Literal): Folded {
    const slot = this.#slot(name, 1);
    if (!slot) return false;
    const { index, attribute } = slot;
    if (operator === '==' || operator === '!=') {
      const equal = equals(index, this.#encode(attribute, literal));
      return operator === '==' ? equal : negate(equal);
    }
    const bits = this.#ordered(name, attribute);
    if (!('bits' in attribute)) return false;
    const value = this.#encode(attribute, literal);
    switch (operator) {
      case '<':
        return atMost(index, bits, value - 1n);
      case '<=':
        return atMost(index, bits, value);
      case '>':
        return atLeast(index, bits, value + 1n);
      case '>=':
        return atLeast(index, bits, value);
    }
  }

  #between(name: AttributeName, low: Literal, high: Literal): Folded {
    const slot = this.#slot(name, 2);
    if (!slot) return false;
    const { index, attribute } = slot;
    const bits = this.#ordered(name, attribute);
    if (!('bits' in attribute)) return false;
    const [from, to] = [this.#encode(attribute, low), this.#encode(attribute, high)];
    if (from > to) this.faults.push({ at: low.at, rule: 'the lower bound first' });
    return join('and', [atLeast(index, bits, from), atMost(index, bits, to)]);
  }
}

const WANTED = { text: 'a text', boolean: 'true or false', number: 'a number' } as const;
