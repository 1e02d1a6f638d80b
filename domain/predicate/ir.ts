/** A comparison of one attribute with literals. Order is always inclusive: `a > 5` has become `a >= 6`. */
export type Clause =
  | {
      readonly op: 'le' | 'ge';
      /** Slot of the credential. */
      readonly attribute: number;
      /** Width that both sides are checked against. */
      readonly bits: number;
      readonly literals: readonly [bigint];
    }
  | { readonly op: 'eq' | 'ne'; readonly attribute: number; readonly literals: readonly [bigint] }
  | {
      readonly op: 'in' | 'not-in';
      readonly attribute: number;
      /** Ascending without repetition, then the last one again up to a power of two. */
      readonly literals: readonly bigint[];
    };

/**
 * The canonical form of a predicate: negations are gone, `and` and `or` alternate and have at least two terms in one
 * fixed order, none of them twice.
 */
export type Ir = Clause | { readonly op: 'and' | 'or'; readonly terms: readonly Ir[] };

export const isClause = (ir: Ir): ir is Clause => !('terms' in ir);

/** The clauses in the order in which a circuit takes their literals. */
export const clausesOf = (ir: Ir): readonly Clause[] => (isClause(ir) ? [ir] : ir.terms.flatMap(clausesOf));

/** Every literal in that order. */
export const literalsOf = (ir: Ir): readonly bigint[] => clausesOf(ir).flatMap((clause) => clause.literals);

/** The form alone, literals left out: JSON that names everything a circuit depends on. */
export type Shape =
  | readonly ['le' | 'ge', attribute: number, bits: number]
  | readonly ['eq' | 'ne', attribute: number]
  | readonly ['in' | 'not-in', attribute: number, size: number]
  | readonly ['and' | 'or', ...Shape[]];

export const shapeOf = (ir: Ir): Shape => {
  switch (ir.op) {
    case 'and':
    case 'or':
      return [ir.op, ...ir.terms.map(shapeOf)];
    case 'le':
    case 'ge':
      return [ir.op, ir.attribute, ir.bits];
    case 'eq':
    case 'ne':
      return [ir.op, ir.attribute];
    case 'in':
    case 'not-in':
      return [ir.op, ir.attribute, ir.literals.length];
  }
};

const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;

/** Whether a value read from elsewhere has the form of a shape. */
export const isShape = (value: unknown): value is Shape => {
  if (!Array.isArray(value)) return false;
  const [op, ...rest] = value as readonly unknown[];
  switch (op) {
    case 'and':
    case 'or':
      return rest.length >= 2 && rest.every(isShape);
    case 'le':
    case 'ge':
    case 'in':
    case 'not-in':
      return rest.length === 2 && rest.every(isCount);
    case 'eq':
    case 'ne':
      return rest.length === 1 && rest.every(isCount);
    default:
      return false;
  }
};
