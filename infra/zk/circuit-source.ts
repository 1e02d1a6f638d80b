import type { Shape } from '../../domain/predicate/ir.ts';
import { PREDICATE_LIMITS } from '../../domain/predicate/limits.ts';

type Combination = readonly ['and' | 'or', ...Shape[]];

const isCombination = (shape: Shape): shape is Combination => shape[0] === 'and' || shape[0] === 'or';

/**
 * The body of a statement: every operand of a comparison passes one range check, every clause becomes a bit. Only
 * integers and signal names made here are inserted; nothing a caller wrote ever gets into the source.
 */
class Body {
  readonly lines: string[] = [];
  /** Width of the range check of each attribute that has one, by slot. */
  readonly #ranged = new Map<number, number>();
  #literals = 0;
  #bits = 0;

  get literals(): number {
    return this.#literals;
  }

  /** Adds the lines of `shape`; answers with the name of its bit. */
  add(shape: Shape): string {
    if (!isCombination(shape)) return this.#clause(shape);
    const [op, ...terms] = shape;
    const bits = terms.map((term) => this.add(term));
    return bits.reduce((a, b) => this.#bit(op === 'and' ? `And()(${a}, ${b})` : `Or()(${a}, ${b})`));
  }

  #clause(shape: Exclude<Shape, Combination>): string {
    const slot = integer(shape[1], PREDICATE_LIMITS.attributes - 1);
    switch (shape[0]) {
      case 'le':
      case 'ge': {
        const width = integer(shape[2], PREDICATE_LIMITS.bits);
        const attribute = this.#rangedAttribute(slot, width);
        const literal = this.#rangedLiteral(width);
        const operands = shape[0] === 'le' ? `${attribute}, ${literal}` : `${literal}, ${attribute}`;
        return this.#bit(`LessEqual(${width})(${operands})`);
      }
      case 'eq':
      case 'ne': {
        const equal = this.#bit(`Equal()(attributes[${slot}], literals[${this.#literals++}])`);
        return shape[0] === 'eq' ? equal : this.#bit(`Not()(${equal})`);
      }
      case 'in':
      case 'not-in': {
        const size = integer(shape[2], PREDICATE_LIMITS.setSize);
        const members = Array.from({ length: size }, () => `literals[${this.#literals++}]`);
        const found = this.#bit(`InSet(${size})(attributes[${slot}], [${members.join(', ')}])`);
        return shape[0] === 'in' ? found : this.#bit(`Not()(${found})`);
      }
    }
  }

  #bit(expression: string): string {
    const name = `t${this.#bits++}`;
    this.lines.push(`signal {binary} ${name} <== ${expression};`);
    return name;
  }

  #rangedAttribute(slot: number, width: number): string {
    const known = this.#ranged.get(slot);
    if (known !== undefined && known !== width) throw new RangeError(`slot ${slot} has two widths`);
    if (known === undefined) {
      this.#ranged.set(slot, width);
      this.lines.push(`signal {maxbit} a${slot} <== RangeCheck(${width})(attributes[${slot}]);`);
    }
    return `a${slot}`;
  }

  #rangedLiteral(width: number): string {
    const index = this.#literals++;
    this.lines.push(`signal {maxbit} l${index} <== RangeCheck(${width})(literals[${index}]);`);
    return `l${index}`;
  }
}

const integer = (value: number, maximum: number): number => {
  if (!Number.isInteger(value) || value < 0 || value > maximum) throw new RangeError('not a circuit shape');
  return value;
};

const indented = (lines: readonly string[]): string => lines.map((line) => `    ${line}`).join('\n');

/**
 * Statement(): asserts that the attributes fulfil the predicate of this shape.
 * @throws RangeError when `shape` is none that `readPredicate` makes.
 */
export const statementSource = (shape: Shape): { readonly source: string; readonly literals: number } => {
  const body = new Body();
  const result = body.add(shape);
  const source = `template Statement() {
    signal input attributes[${PREDICATE_LIMITS.attributes}];
    signal input literals[${body.literals}];

${indented(body.lines)}
    ${result} === 1;
}
`;
  return { source, literals: body.literals };
};

/** The whole circuit of a shape: a credential that fulfils the statement. Public inputs come in the order of `main`. */
export const circuitSource = (shape: Shape): string => {
  const { source, literals } = statementSource(shape);
  const slots = PREDICATE_LIMITS.attributes;
  return `pragma circom 2.2.0;

include "comparison.circom";
include "credential.circom";
include "logic.circom";

${source}
template Predicate() {
    signal input context;
    signal input scope;
    signal input now;
    signal input schema;
    signal input issuer[2];
    signal input literals[${literals}];
    signal input secret;
    signal input expiry;
    signal input attributes[${slots}];
    signal input signature[3];
    signal output nullifier;

    nullifier <== Credential(${slots})(context, scope, now, schema, issuer, secret, expiry, attributes, signature);
    Statement()(attributes, literals);
}

component main {public [context, scope, now, schema, issuer, literals]} = Predicate();
`;
};
