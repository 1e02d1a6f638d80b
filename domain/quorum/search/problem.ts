import type { TypeUnavailability } from '../availability.ts';
import type { SetMember, SetRules } from '../feasibility.ts';

/** A member that may be picked, and what it costs. */
export interface Candidate extends SetMember {
  readonly amount: bigint;
  /** In [0, 1): of sets of one price, the one of the least sum of lots is bought. */
  readonly lot: number;
}

export interface Problem<C extends Candidate> {
  readonly rules: SetRules;
  /** Members that are in whatever happens; they keep the rules among themselves. */
  readonly fixed: readonly SetMember[];
  /** In an order that says nothing about their arrival. */
  readonly candidates: readonly C[];
  readonly typeUnavailability: TypeUnavailability;
  /** Only sets of a lower total are looked for. */
  readonly limit?: bigint;
  /** Sets found before, by ids: the search begins with those that are sets here too. */
  readonly known?: readonly (readonly string[])[];
}

/**
 * What the search looks for: the set of least price that reaches the target, or the most available set, for which the
 * target does not count.
 */
export type Objective = 'cheapest' | 'most-available';

export interface Found<C extends Candidate> {
  readonly picked: readonly C[];
  readonly availability: number;
}

export interface SearchResult<C extends Candidate> {
  readonly found: Found<C> | null;
  /** Boxes bounded: the effort, independent of the machine. */
  readonly explored: number;
  /**
   * Null when the answer is exact. Else the effort ended before: no set costs less than this (cheapest), or is less
   * available than found with certainty (most-available, 0).
   */
  readonly bound: bigint | null;
}
