import { type Box, leastOf, rowsIn, separate, unavailabilitiesOf } from './box.ts';
import { NOISE } from './chance.ts';
import type { Effort } from './effort.ts';
import type { Pool } from './pool.ts';
import type { Candidate } from './problem.ts';
import { leastSlopes, STEPS_PER_CHANCE, slopesAt } from './slopes.ts';

/** A box without rows that no set lighter than the cutoff needs, and what is known of its sets. */
export interface Relaxed {
  readonly box: Box;
  /** No set of the box that reaches the target weighs less. */
  readonly bound: number;
  /** Weight that one unit of downtime is worth at the bound. */
  readonly multiplier: number;
  /** Downtime per unit of a slot's unavailability at the most reliable corner. */
  readonly slopes: Float64Array;
  /** The choices at the bound, one row per slot: within the downtime allowed, and on the other side of it. */
  readonly within: readonly number[];
  readonly beyond: readonly number[];
}

export interface Goal {
  /** Least availability. */
  readonly target: number;
  /** Only sets that weigh less are looked for. */
  readonly cutoff: number;
  /** What is known of the sets of the box: none weighs less. */
  readonly least: number;
}

/** Sums of doubles are off by less than this share. */
const ROUNDING = 1e-11;
const MOST_ROUNDS = 6;
const MOST_LINES = 24;
/** Boxes of fewer rows are cut further at once: a sharper bound would cost more than it saves. */
const FEW_ROWS = 16;

interface Choice {
  readonly rows: readonly number[];
  readonly cost: number;
  /** Downtime by the slopes. */
  readonly downtime: number;
}

/** A bound from a price on downtime, and the two choices around it. */
interface Dual {
  readonly bound: number;
  readonly multiplier: number;
  readonly within: readonly number[];
  readonly beyond: readonly number[];
}

/** The columns of a box that a dual is computed from. */
class Knapsack {
  readonly #pool: Pool<Candidate>;
  readonly #domains: readonly Int32Array[];
  readonly #corner: Float64Array;
  readonly #slopes: Float64Array;

  constructor(
    pool: Pool<Candidate>,
    domains: readonly Int32Array[],
    corner: Float64Array,
    slopes: Float64Array,
  ) {
    this.#pool = pool;
    this.#domains = domains;
    this.#corner = corner;
    this.#slopes = slopes;
  }

  /** Weight of a row with its downtime paid for. */
  value(slot: number, row: number, multiplier: number): number {
    const { weight, unavailability } = this.#pool;
    const step = (unavailability[row] as number) - (this.#corner[slot] as number);
    return (weight[row] as number) + multiplier * (this.#slopes[slot] as number) * step;
  }

  choose(multiplier: number): Choice {
    const { weight, unavailability } = this.#pool;
    const rows: number[] = [];
    let cost = 0;
    let downtime = 0;
    for (let slot = 0; slot < this.#domains.length; slot++) {
      const domain = this.#domains[slot] as Int32Array;
      let best = domain[0] as number;
      let lowest = Number.POSITIVE_INFINITY;
      for (let index = 0; index < domain.length; index++) {
        const row = domain[index] as number;
        const value = this.value(slot, row, multiplier);
        if (value < lowest) {
          best = row;
          lowest = value;
        }
      }
      rows.push(best);
      cost += weight[best] as number;
      downtime +=
        (this.#slopes[slot] as number) * ((unavailability[best] as number) - (this.#corner[slot] as number));
    }
    return { rows, cost, downtime };
  }

  /** The highest point under the lines of all choices, from the two that enclose it. */
  dual(allowed: number, least: readonly number[], dearest: number): Dual & { readonly lines: number } {
    let beyond = this.choose(0);
    if (beyond.downtime <= allowed)
      return { bound: beyond.cost, multiplier: 0, within: beyond.rows, beyond: beyond.rows, lines: 1 };
    let within: Choice = { rows: least, cost: dearest, downtime: 0 };
    let [bound, multiplier, lines] = [beyond.cost, 0, 1];
    const at = (choice: Choice, price: number): number => choice.cost + price * (choice.downtime - allowed);
    for (; lines < MOST_LINES; lines++) {
      const crossing = (within.cost - beyond.cost) / (beyond.downtime - within.downtime);
      const choice = this.choose(crossing);
      const value = at(choice, crossing);
      if (value > bound) [bound, multiplier] = [value, crossing];
      if (value >= at(beyond, crossing) - ROUNDING * dearest) break;
      if (choice.downtime > allowed) beyond = choice;
      else within = choice;
    }
    return { bound, multiplier, within: within.rows, beyond: beyond.rows, lines };
  }
}

/**
 * Lower bound and filter. The chance of too few members being up, D(u), is a multilinear function that grows with every
 * unavailability; from the most reliable corner l of a box it grows at least by Σ slope × (u − l). A set that reaches
 * the target therefore keeps Σ slope × (u − l) ≤ allowed, and without the rules of diversity the cheapest choice under
 * that one linear constraint is a multiple-choice knapsack, whose Lagrange dual is the bound. A row whose own choice
 * costs so much that the bound would reach the cutoff is taken out, and the bound computed again.
 */
export const relax = (
  pool: Pool<Candidate>,
  { slots, chance, domains: given, convex: known }: Box,
  { target, cutoff, least: inherited }: Goal,
  effort: Effort,
): Relaxed | null => {
  const { unavailability, weight } = pool;
  const domains = [...given];
  let convex = known;
  for (let round = 1; ; round++) {
    if (!separate(pool, slots, domains, effort)) return null;
    const least = leastOf(domains);
    const corner = unavailabilitiesOf(pool, least);
    const allowed = chance(corner) - target + NOISE;
    if (allowed < 0) return null;
    const slopes = slopesAt(chance, corner);
    effort.spend((1 + 2 * domains.length) * STEPS_PER_CHANCE);
    for (const [slot, domain] of domains.entries()) {
      // Exact: the chance is linear in one unavailability.
      const most = (corner[slot] as number) + allowed / (slopes[slot] as number);
      let length = domain.length;
      while (length > 1 && !((unavailability[domain[length - 1] as number] as number) <= most)) length--;
      if (length < domain.length) domains[slot] = domain.subarray(0, length);
    }
    const size = rowsIn(domains);
    const dearest = least.reduce((sum, row) => sum + (weight[row] as number), 0);
    const rounding = ROUNDING * dearest;

    /** Keeps the rows by which the bound stays below the cutoff. False: none does. */
    const thin = (bound: number, value: (slot: number, row: number) => number): boolean => {
      const spare = cutoff - 1 - (bound - rounding);
      if (spare < 0) return false;
      effort.spend(2 * size);
      if (spare === Number.POSITIVE_INFINITY) return true;
      for (let slot = 0; slot < domains.length; slot++) {
        const domain = domains[slot] as Int32Array;
        let lowest = Number.POSITIVE_INFINITY;
        for (let index = 0; index < domain.length; index++)
          lowest = Math.min(lowest, value(slot, domain[index] as number));
        domains[slot] = domain.filter((row) => value(slot, row) <= lowest + spare);
      }
      return true;
    };
    const dual = (terms: Knapsack): Dual => {
      const found = terms.dual(allowed, least, dearest);
      effort.spend(found.lines * size);
      return found;
    };

    const flat = new Float64Array(domains.length);
    let answer: Dual = dual(new Knapsack(pool, domains, corner, flat));
    if (!thin(answer.bound, (_, row) => weight[row] as number)) return null;
    if (round < MOST_ROUNDS && rowsIn(domains) < 0.8 * size) continue;
    if (size >= FEW_ROWS) {
      const top = domains.map((domain) => domain[domain.length - 1] as number);
      const lower = leastSlopes(chance, corner, unavailabilitiesOf(pool, top), slopes, convex, effort);
      convex = lower.convex;
      const terms = new Knapsack(pool, [...domains], corner, lower.slopes);
      answer = dual(terms);
      const { multiplier } = answer;
      if (!thin(answer.bound, (slot, row) => terms.value(slot, row, multiplier))) return null;
      if (round < MOST_ROUNDS && rowsIn(domains) < 0.8 * size) continue;
    }
    if (rowsIn(domains) < size && !separate(pool, slots, domains, effort)) return null;
    return {
      ...answer,
      bound: Math.max(inherited, answer.bound - rounding),
      box: { slots, chance, domains, convex },
      slopes,
    };
  }
};
