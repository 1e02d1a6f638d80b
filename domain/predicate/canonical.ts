import { type Clause, type Ir, isClause, literalsOf, shapeOf } from './ir.ts';

/** What canonicalisation may meet on its way: a part that always or never holds. */
export type Folded = Ir | boolean;

type Negatable = 'le' | 'ge' | 'eq' | 'ne' | 'in' | 'not-in';

/** `attribute <= literal`, where the literal may be one outside the range that a strict comparison leads to. */
export const atMost = (attribute: number, bits: number, literal: bigint): Folded => {
  if (literal < 0n) return false;
  return literal >= maximum(bits) || { op: 'le', attribute, bits, literals: [literal] };
};

/** `attribute >= literal`, likewise. */
export const atLeast = (attribute: number, bits: number, literal: bigint): Folded => {
  if (literal > maximum(bits)) return false;
  return literal <= 0n || { op: 'ge', attribute, bits, literals: [literal] };
};

const maximum = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

export const equals = (attribute: number, literal: bigint): Ir => ({
  op: 'eq',
  attribute,
  literals: [literal],
});

/** Membership in a set of at least one literal, which may be in any order and repeat themselves. */
export const isIn = (attribute: number, literals: readonly bigint[]): Ir => {
  const sorted = [...new Set(literals)].sort((a, b) => (a < b ? -1 : 1));
  const last = sorted.at(-1) as bigint;
  if (sorted.length === 1) return equals(attribute, last);
  // One key serves all sets up to a power of two.
  const size = 2 ** Math.ceil(Math.log2(sorted.length));
  const padding = new Array<bigint>(size - sorted.length).fill(last);
  return { op: 'in', attribute, literals: [...sorted, ...padding] };
};

/** The negation, pushed down to the clauses. */
export const negate = (part: Folded): Folded => {
  if (typeof part === 'boolean') return !part;
  if (isClause(part)) return negateClause(part);
  return join(part.op === 'and' ? 'or' : 'and', part.terms.map(negate));
};

const NEGATED = { eq: 'ne', ne: 'eq', in: 'not-in', 'not-in': 'in' } as const satisfies Partial<
  Record<Negatable, Negatable>
>;

const negateClause = (clause: Clause): Folded => {
  if (clause.op === 'le') return atLeast(clause.attribute, clause.bits, clause.literals[0] + 1n);
  if (clause.op === 'ge') return atMost(clause.attribute, clause.bits, clause.literals[0] - 1n);
  return { ...clause, op: NEGATED[clause.op] } as Clause;
};

/** `and` or `or` of the terms: flattened, folded, without repetition, in canonical order. */
export const join = (op: 'and' | 'or', terms: readonly Folded[]): Folded => {
  const neutral = op === 'and';
  const distinct = new Map<string, Ir>();
  for (const term of terms) {
    if (term === !neutral) return term;
    if (typeof term === 'boolean') continue;
    for (const each of !isClause(term) && term.op === op ? term.terms : [term]) {
      distinct.set(orderKey(each), each);
    }
  }
  const sorted = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, term]) => term);
  const [first] = sorted;
  if (first === undefined) return neutral;
  return sorted.length === 1 ? first : { op, terms: sorted };
};

/** Orders by shape first, so that the order never depends on literals where it need not. */
const orderKey = (ir: Ir): string =>
  `${JSON.stringify(shapeOf(ir))} ${literalsOf(ir)
    .map((literal) => literal.toString(16).padStart(64, '0'))
    .join()}`;
