/** Caps on a predicate, all refused before anything is compiled (R49). */
export const PREDICATE_LIMITS = {
  /** Characters of the text. */
  text: 2_000,
  /** Nested parentheses and negations. */
  depth: 8,
  /** Comparisons, counting `between` as two. */
  clauses: 32,
  /** Members of one set. */
  setSize: 64,
  /** Slots of a credential; Poseidon takes at most 16 inputs and three are taken. */
  attributes: 8,
  /** Widest integer; comparators are sound up to 252 bits. */
  bits: 64,
  /** Digits after the point. */
  scale: 9,
  /** Public inputs of a circuit: each costs the verifier a scalar multiplication. */
  publicInputs: 128,
  /** Estimated constraints and public inputs together: the size of the powers of tau, 2^13. */
  constraints: 8_191,
} as const;
