import type { AttributeName, ComparisonOperator, Expression, Literal } from './ast.ts';
import { PREDICATE_LIMITS } from './limits.ts';
import { type SyntaxFault, type Token, tokenize } from './tokens.ts';

/** The operator that says the same with its sides exchanged. */
const MIRRORED: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** Carries a fault out of the recursion; never leaves this file. */
class Fault extends Error {
  readonly fault: SyntaxFault;

  constructor(at: number, rule: string) {
    super(rule);
    this.fault = { at, rule };
  }
}

/**
 * Parses
 *
 *     predicate  = term { "or" term }            term = factor { "and" factor }
 *     factor     = "not" factor | "(" predicate ")" | comparison
 *     comparison = name operator value | value operator name
 *                | name ["not"] "in" "[" value { "," value } "]"
 *                | name ["not"] "between" value "and" value
 *     operator   = "==" | "!=" | "<" | "<=" | ">" | ">="        value = number | text | "true" | "false"
 *
 * Keywords may be upper or lower case. The fault names the first character that cannot be right.
 */
export const parse = (source: string): Expression | SyntaxFault => {
  if (source.length > PREDICATE_LIMITS.text) {
    return { at: PREDICATE_LIMITS.text + 1, rule: `at most ${PREDICATE_LIMITS.text} characters` };
  }
  const tokens = tokenize(source);
  if (!Array.isArray(tokens)) return tokens as SyntaxFault;
  try {
    return new Parser(tokens).whole();
  } catch (error) {
    if (error instanceof Fault) return error.fault;
    throw error;
  }
};

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const expression = this.#chain('or');
    const token = this.#peek();
    if (token.kind !== 'end') throw new Fault(token.at, 'and, or, or the end');
    return expression;
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #take(): Token {
    const token = this.#peek();
    if (token.kind !== 'end') this.#next++;
    return token;
  }

  #is(text: string): boolean {
    const token = this.#peek();
    return (token.kind === 'keyword' || token.kind === 'mark') && token.text.toLowerCase() === text;
  }

  #accept(text: string): boolean {
    const found = this.#is(text);
    if (found) this.#next++;
    return found;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) throw new Fault(this.#peek().at, `${text} here`);
  }

  #chain(kind: 'and' | 'or'): Expression {
    const operand = (): Expression => (kind === 'or' ? this.#chain('and') : this.#factor());
    const first = operand();
    const terms = [first];
    while (this.#accept(kind)) terms.push(operand());
    return terms.length === 1 ? first : { kind, terms };
  }

  #factor(): Expression {
    const { at } = this.#peek();
    if (this.#accept('not')) return this.#deeper(at, () => ({ kind: 'not', term: this.#factor() }));
    if (!this.#accept('(')) return this.#comparison();
    const inner = this.#deeper(at, () => this.#chain('or'));
    this.#expect(')');
    return inner;
  }

  #deeper(at: number, read: () => Expression): Expression {
    this.#depth++;
    if (this.#depth > PREDICATE_LIMITS.depth) {
      throw new Fault(at, `at most ${PREDICATE_LIMITS.depth} nested parentheses and negations`);
    }
    const expression = read();
    this.#depth--;
    return expression;
  }

  #comparison(): Expression {
    if (this.#peek().kind !== 'name') return this.#literalFirst();
    const attribute = this.#name();
    const negated = this.#accept('not');
    const { at } = this.#peek();
    let found: Expression;
    if (this.#accept('in')) found = { kind: 'in', attribute, set: this.#set() };
    else if (this.#accept('between')) {
      const low = this.#literal();
      this.#expect('and');
      found = { kind: 'between', attribute, low, high: this.#literal() };
    } else if (negated) throw new Fault(at, 'in or between after not');
    else found = { kind: 'compare', attribute, operator: this.#operator(), literal: this.#literal() };
    return negated ? { kind: 'not', term: found } : found;
  }

  #literalFirst(): Expression {
    const literal = this.#literal('an attribute, a value, not, or (');
    const operator = MIRRORED[this.#operator()];
    return { kind: 'compare', attribute: this.#name(), operator, literal };
  }

  #name(): AttributeName {
    const token = this.#take();
    if (token.kind !== 'name') throw new Fault(token.at, 'an attribute');
    return { at: token.at, name: token.text };
  }

  #operator(): ComparisonOperator {
    const token = this.#take();
    if (token.kind === 'mark' && Object.hasOwn(MIRRORED, token.text)) return token.text as ComparisonOperator;
    throw new Fault(token.at, 'one of ==, !=, <, <=, >, >=, in, between');
  }

  #literal(rule = 'a value'): Literal {
    const token = this.#take();
    const { at } = token;
    if (token.kind === 'number') return { at, kind: 'number', text: token.text };
    if (token.kind === 'text') return { at, kind: 'text', value: token.value };
    const word = token.text.toLowerCase();
    if (word === 'true' || word === 'false') return { at, kind: 'boolean', value: word === 'true' };
    throw new Fault(at, rule);
  }

  #set(): Literal[] {
    this.#expect('[');
    const set = [this.#literal()];
    while (this.#accept(',')) {
      const { at } = this.#peek();
      if (set.length === PREDICATE_LIMITS.setSize) {
        throw new Fault(at, `at most ${PREDICATE_LIMITS.setSize} members of a set`);
      }
      set.push(this.#literal());
    }
    this.#expect(']');
    return set;
  }
}
