import { type Clause, type Ir, isClause } from './ir.ts';

const clauseHolds = (clause: Clause, value: bigint): boolean => {
  const [literal] = clause.literals as readonly [bigint];
  switch (clause.op) {
    case 'le':
      return value <= literal;
    case 'ge':
      return value >= literal;
    case 'eq':
      return value === literal;
    case 'ne':
      return value !== literal;
    case 'in':
      return clause.literals.includes(value);
    case 'not-in':
      return !clause.literals.includes(value);
  }
};

/** Whether a predicate holds for the encoded values of a credential's slots: what its circuit has to agree with. */
export const holds = (ir: Ir, values: readonly bigint[]): boolean => {
  if (isClause(ir)) return clauseHolds(ir, values[ir.attribute] ?? 0n);
  return ir.op === 'and'
    ? ir.terms.every((term) => holds(term, values))
    : ir.terms.some((term) => holds(term, values));
};
