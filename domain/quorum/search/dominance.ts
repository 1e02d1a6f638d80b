import type { Effort } from './effort.ts';
import type { Pool } from './pool.ts';
import type { Candidate } from './problem.ts';

/**
 * The rows of one type that some cheapest set can need; the others are left out before the search.
 *
 * Row a dominates row b when it has b's type, is no less reliable and no heavier (ties by row). Let S be a set with b,
 * and A a family of dominators of b of which no two share an owner, network or region, except those that b has itself.
 * Each of the other m − 1 members of S excludes at most one of A per key that members must not share: what b has, no
 * other member of S has. So with |A| > keys × (m − 1) one of A may take b's place: type counts stay, availability does
 * not fall, the weight does not rise. Each such step goes down in the order (weight, unavailability, row), so it ends at
 * a set without rows left out. A dominator with b's own owner, network and region is enough alone.
 *
 * Nothing is lost for a critical value either: it is a search of its own over the bids without that owner, and selects
 * anew.
 */
export const undominated = (
  pool: Pool<Candidate>,
  rows: Int32Array,
  members: number,
  effort: Effort,
): Int32Array => {
  const { weight, keys } = pool;
  const enough = keys.length * (members - 1) + 1;
  const kept: number[] = [];
  for (const row of rows) {
    const taken = keys.map(() => new Set<number>());
    let family = 0;
    // Rows are ascending in unavailability, so every dominator comes before; one left out has dominators of its own,
    // and a family of those among them would do: only kept rows are asked.
    for (let index = kept.length - 1; index >= 0 && family < enough; index--) {
      const other = kept[index] as number;
      if ((weight[other] as number) > (weight[row] as number)) continue;
      const differing = keys.filter((key) => key[other] !== key[row]);
      if (differing.length === 0) {
        family = enough;
        break;
      }
      if (keys.some((key, at) => key[other] !== key[row] && taken[at]?.has(key[other] as number))) continue;
      for (const [at, key] of keys.entries()) taken[at]?.add(key[other] as number);
      family++;
    }
    effort.spend(kept.length);
    if (family < enough) kept.push(row);
  }
  return Int32Array.from(kept);
};
