import { availability } from '../availability.ts';
import { type Box, leastOf, rowsIn, separate, splitAtClash } from './box.ts';
import type { Effort } from './effort.ts';
import { Heap } from './heap.ts';
import { type Pool, rowsClash } from './pool.ts';
import type { Candidate, Found, Problem, SearchResult } from './problem.ts';
import type { Shape } from './shape.ts';
import { STEPS_PER_CHANCE } from './slopes.ts';

interface Open {
  readonly box: Box;
  /** Availability of the most reliable choice, whether or not it clashes: no set of the box has more. */
  readonly bound: number;
  readonly depth: number;
}

/** The most available set: best-first; a box whose most reliable choice keeps the rules is answered by it. */
export const mostAvailable = <C extends Candidate>(
  { rules, fixed, typeUnavailability }: Problem<C>,
  pool: Pool<C>,
  shapes: readonly Shape[],
  boxOf: (shape: Shape) => Box,
  effort: Effort,
): SearchResult<C> => {
  const open = new Heap<Open>((a, b) => a.bound > b.bound || (a.bound === b.bound && a.depth > b.depth));
  let explored = 0;
  const foundOf = (rows: readonly number[]): Found<C> => {
    const picked = rows.map((row) => pool.candidates[row] as C);
    return {
      picked,
      availability: availability([...fixed, ...picked], rules.requiredUp, typeUnavailability),
    };
  };
  const consider = (box: Box, depth: number): void => {
    explored++;
    const domains = [...box.domains];
    if (!separate(pool, box.slots, domains, effort)) return;
    effort.spend(STEPS_PER_CHANCE + rowsIn(domains));
    open.push({ box: { ...box, domains }, bound: foundOf(leastOf(domains)).availability, depth });
  };
  /** The most reliable row of each slot that clashes with none before, the best of what the open boxes give so. */
  const bestOfGreedy = (boxes: Iterable<Open>): Found<C> | null => {
    let best: Found<C> | null = null;
    for (const { box } of boxes) {
      const rows: number[] = [];
      for (const domain of box.domains) {
        const row = domain.find((each) => rows.every((other) => !rowsClash(pool, each, other)));
        if (row !== undefined) rows.push(row);
      }
      if (rows.length < box.domains.length) continue;
      const found = foundOf(rows);
      if (best === null || found.availability > best.availability) best = found;
    }
    return best;
  };
  for (const shape of shapes) consider(boxOf(shape), 0);
  for (let next = open.pop(); next; next = open.pop()) {
    const { domains } = next.box;
    const rows = leastOf(domains);
    const parts = splitAtClash(pool, domains, rows);
    if (parts === null) return { found: foundOf(rows), explored, bound: null };
    if (effort.left() <= 0) return { found: bestOfGreedy([next, ...open]), explored, bound: 0n };
    for (const part of parts) consider({ ...next.box, domains: part }, next.depth + 1);
  }
  return { found: null, explored, bound: null };
};
