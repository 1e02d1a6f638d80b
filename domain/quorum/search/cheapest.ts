import { availability } from '../availability.ts';
import { type Box, leastOf, splitAt, splitAtClash, unavailabilitiesOf } from './box.ts';
import { NOISE } from './chance.ts';
import type { Effort } from './effort.ts';
import { Heap } from './heap.ts';
import { type Pool, rowsClash } from './pool.ts';
import type { Candidate, Found, Problem, SearchResult } from './problem.ts';
import { type Relaxed, relax } from './relax.ts';
import type { Shape } from './shape.ts';
import { STEPS_PER_CHANCE, slopesAt } from './slopes.ts';

/** A box that is not done, and the bound that it was cut from. */
interface Open {
  readonly relaxed: Relaxed;
  readonly depth: number;
}

/** A set that reaches the target. */
interface Incumbent {
  readonly rows: readonly number[];
  readonly weight: number;
  readonly price: bigint;
  readonly availability: number;
}

/** Without a set, the reliable choices are tried with downtime dearer by these factors. */
const STERNER = [1, 4, 16] as const;

/**
 * The lightest set that reaches the target: best-first branch and bound over boxes (`relax` bounds and thins them).
 * Each box taken is cut where its best choice breaks a rule of diversity, else where the linear bound is furthest from
 * the truth. The first box whose bound reaches the best set proves it; when the effort ends before, the least bound of
 * the boxes left open is what is proven.
 *
 * Sources: best-first branch and bound (Land & Doig 1960); Lagrange bound and reduced-cost fixing of the
 * multiple-choice knapsack (Kellerer, Pferschy & Pisinger, Knapsack Problems, ch. 11).
 */
export const cheapest = <C extends Candidate>(
  problem: Problem<C>,
  pool: Pool<C>,
  shapes: readonly Shape[],
  boxOf: (shape: Shape) => Box,
  effort: Effort,
): SearchResult<C> => {
  const { rules, fixed, typeUnavailability, limit = null, known = [] } = problem;
  const { weight, unavailability, candidates } = pool;
  const slack = pool.scale.exact ? 0 : rules.size;
  const limitWeight = limit === null ? Number.POSITIVE_INFINITY : pool.scale.above(limit);
  let best: Incumbent | null = null;
  const cutoff = (): number => Math.min(limitWeight, best === null ? Infinity : best.weight + slack);
  const totalOf = (rows: readonly number[]): number =>
    rows.reduce((sum, row) => sum + (weight[row] as number), 0);

  const offer = (rows: readonly number[]): boolean => {
    const total = totalOf(rows);
    if (total >= cutoff()) return false;
    effort.spend(STEPS_PER_CHANCE);
    const picked = rows.map((row) => candidates[row] as C);
    const chance = availability([...fixed, ...picked], rules.requiredUp, typeUnavailability);
    if (chance < rules.target) return false;
    const price = picked.reduce((sum, each) => sum + each.amount, 0n);
    if (limit !== null && price >= limit) return false;
    if (best !== null && (pool.scale.exact ? total >= best.weight : price >= best.price)) return false;
    best = { rows, weight: total, price, availability: chance };
    return true;
  };

  /** Puts a lighter row in the place of another as long as there is one. */
  const improve = ({ chance, domains }: Box, start: readonly number[]): void => {
    let rows = [...start];
    for (let again = true; again && effort.left() > 0; ) {
      again = false;
      for (let slot = 0; slot < rows.length; slot++) {
        const at = unavailabilitiesOf(pool, rows);
        const spare = chance(at) - rules.target + NOISE;
        const most = (at[slot] as number) + spare / (slopesAt(chance, at)[slot] as number);
        let lighter = rows[slot] as number;
        for (const row of domains[slot] as Int32Array) {
          if ((unavailability[row] as number) > most) break;
          if ((weight[row] as number) >= (weight[lighter] as number)) continue;
          if (rows.every((other, place) => place === slot || !rowsClash(pool, row, other))) lighter = row;
        }
        effort.spend((domains[slot] as Int32Array).length + (2 * rows.length + 1) * STEPS_PER_CHANCE);
        if (lighter === rows[slot]) continue;
        const next = rows.with(slot, lighter);
        if (!offer(next)) continue;
        rows = next;
        again = true;
      }
    }
  };

  /** Slot by slot the best row that clashes with none picked; null where a slot has none. */
  const round = ({ box, slopes, multiplier }: Relaxed, sternness: number): number[] | null => {
    const rows: number[] = [];
    for (const [slot, domain] of box.domains.entries()) {
      const rate = sternness * multiplier * (slopes[slot] as number);
      let pick = -1;
      let value = Number.POSITIVE_INFINITY;
      for (const row of domain) {
        const each = (weight[row] as number) + rate * (unavailability[row] as number);
        if (each < value && rows.every((other) => !rowsClash(pool, row, other))) [pick, value] = [row, each];
      }
      effort.spend(domain.length);
      if (pick < 0) return null;
      rows.push(pick);
    }
    return rows;
  };

  const tryFrom = (relaxed: Relaxed): void => {
    for (const sternness of STERNER) {
      const rows = round(relaxed, sternness);
      if (rows !== null && offer(rows)) improve(relaxed.box, rows);
      if (best !== null) return;
    }
  };

  const open = new Heap<Open>(
    (a, b) => a.relaxed.bound < b.relaxed.bound || (a.relaxed.bound === b.relaxed.bound && a.depth > b.depth),
  );
  let explored = 0;
  const consider = (box: Box, depth: number, least: number): void => {
    explored++;
    const relaxed = relax(pool, box, { target: rules.target, cutoff: cutoff(), least }, effort);
    if (relaxed === null) return;
    tryFrom(relaxed);
    if (relaxed.bound <= cutoff() - 1) open.push({ relaxed, depth });
  };

  const rowOf = new Map(candidates.map((candidate, row) => [candidate.id, row]));
  for (const ids of known) {
    const rows = ids.map((id) => rowOf.get(id) ?? -1);
    if (rows.length === rules.size - fixed.length && rows.every((row) => row >= 0)) offer(rows);
  }
  let proven = Number.POSITIVE_INFINITY;
  for (const shape of shapes) {
    if (shape.least > cutoff() - 1) break;
    if (effort.left() <= 0 && best !== null) {
      proven = shape.least;
      break;
    }
    consider(boxOf(shape), 0, shape.least);
  }

  for (let next = open.pop(); next; next = open.pop()) {
    const { relaxed, depth } = next;
    if (relaxed.bound > cutoff() - 1) break;
    if (effort.left() <= 0) {
      proven = Math.min(proven, relaxed.bound);
      break;
    }
    const parts = cut(pool, relaxed, rules.target, offer);
    // The best choice of the box was a set: nothing in it is lighter.
    if (relaxed.bound > cutoff() - 1) continue;
    for (const domains of parts) consider({ ...relaxed.box, domains }, depth + 1, relaxed.bound);
  }
  const found = best as Incumbent | null;
  return {
    found: found && foundOf(found, candidates),
    explored,
    bound: proven === Number.POSITIVE_INFINITY || proven > cutoff() - 1 ? null : pool.scale.priceOf(proven),
  };
};

const foundOf = <C extends Candidate>(
  { rows, availability: chance }: Incumbent,
  candidates: readonly C[],
): Found<C> => ({
  picked: rows.map((row) => candidates[row] as C),
  availability: chance,
});

const indexOfMost = (values: readonly number[]): number => values.indexOf(Math.max(...values));

/**
 * The parts that a box is looked at in next. While its best choice is one only by the linear bound, the slot that strays
 * furthest from the corner is halved, where the bound is tight; then a clash of the choice is settled; then the slot is
 * halved in which the two choices at the bound differ most.
 */
const cut = (
  pool: Pool<Candidate>,
  { box: { chance, domains }, within, beyond, slopes }: Relaxed,
  target: number,
  offer: (rows: readonly number[]) => boolean,
): Int32Array[][] => {
  const places = within.map((row, slot) => (domains[slot] as Int32Array).indexOf(row));
  // The filter may have taken a choice out again.
  if (places.every((place) => place >= 0)) {
    const at = unavailabilitiesOf(pool, within);
    if (chance(at) < target - NOISE) {
      const corner = unavailabilitiesOf(pool, leastOf(domains));
      const strays = within.map(
        (_, slot) => ((at[slot] as number) - (corner[slot] as number)) * (slopes[slot] as number),
      );
      const slot = indexOfMost(strays);
      const place = places[slot] as number;
      if (place > 0) return splitAt(domains, slot, (place + 1) >> 1);
    }
    const parts = splitAtClash(pool, domains, within);
    if (parts) return parts;
    offer(within);
    const apart = within.map((row, slot) =>
      Math.abs((pool.weight[row] as number) - (pool.weight[beyond[slot] as number] as number)),
    );
    const slot = indexOfMost(apart);
    const other = (domains[slot] as Int32Array).indexOf(beyond[slot] as number);
    const place = places[slot] as number;
    if (other >= 0 && other !== place) return splitAt(domains, slot, (place + other + 1) >> 1);
  }
  const longest = indexOfMost(domains.map(({ length }) => length));
  const { length } = domains[longest] as Int32Array;
  if (length > 1) return splitAt(domains, longest, length >> 1);
  const only = leastOf(domains);
  const parts = splitAtClash(pool, domains, only);
  if (!parts) offer(only);
  return parts ?? [];
};
