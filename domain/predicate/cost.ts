import { type Clause, clausesOf, type Ir, isClause } from './ir.ts';

/**
 * Constraints of what every circuit has: the issuer's signature over the credential, expiry, nullifier, context.
 * Measured with circom 2.2.3 at -O2; a test holds the estimate to the compiler.
 */
export const CREDENTIAL_CONSTRAINTS = 5_325;
/** Public inputs of every circuit, before the literals. */
export const FIXED_PUBLIC_INPUTS = 7;

const clauseCost = (clause: Clause): number => {
  switch (clause.op) {
    case 'le':
    case 'ge':
      // Range check of the literal, then the difference in one bit more.
      return clause.bits + clause.bits + 1;
    case 'eq':
    case 'ne':
      return 2;
    case 'in':
    case 'not-in':
      return clause.literals.length + 1;
  }
};

const gates = (ir: Ir): number =>
  isClause(ir) ? 0 : ir.terms.length - 1 + ir.terms.reduce((sum, term) => sum + gates(term), 0);

/** Attributes with an order, by slot, with the width of their one range check. */
export const rangedAttributes = (clauses: readonly Clause[]): ReadonlyMap<number, number> =>
  new Map(clauses.flatMap((clause) => ('bits' in clause ? [[clause.attribute, clause.bits] as const] : [])));

export interface Cost {
  readonly constraints: number;
  readonly publicInputs: number;
}

/** What a circuit for `ir` will need, known before anything is compiled. */
export const costOf = (ir: Ir): Cost => {
  const clauses = clausesOf(ir);
  const checks = [...rangedAttributes(clauses).values()].reduce((sum, bits) => sum + bits, 0);
  const literals = clauses.reduce((sum, clause) => sum + clause.literals.length, 0);
  return {
    constraints:
      CREDENTIAL_CONSTRAINTS +
      checks +
      gates(ir) +
      clauses.reduce((sum, clause) => sum + clauseCost(clause), 0),
    publicInputs: FIXED_PUBLIC_INPUTS + literals,
  };
};
