import { INFRASTRUCTURE_TYPES } from '../../tiers.ts';
import { availability } from '../availability.ts';
import type { SetMember, SetRules } from '../feasibility.ts';
import type { Effort } from './effort.ts';
import { type Pool, rowsClash } from './pool.ts';
import type { Candidate, Found, Problem, SearchResult } from './problem.ts';
import { STEPS_PER_CHANCE } from './slopes.ts';

/** Markets with no more sets than this are looked through: to bound them costs more than to try them. */
const FEW_SETS = 64;

/** Whether there are few ways to pick `members` of `candidates`. */
export const hasFewSets = (candidates: number, members: number): boolean => {
  let sets = 1;
  for (let picked = 1; picked <= members && sets <= FEW_SETS; picked++)
    sets = (sets * (candidates - members + picked)) / picked;
  return sets <= FEW_SETS;
};

/** How many of `members` each infrastructure type has, in the order of INFRASTRUCTURE_TYPES. */
const countsOf = (members: readonly SetMember[]): number[] =>
  INFRASTRUCTURE_TYPES.map(
    (type) => members.filter(({ infrastructureType }) => infrastructureType === type).length,
  );

const keepsTypes = ({ maxPerType, minimumTypes }: SetRules, counts: readonly number[]): boolean =>
  counts.filter((count) => count > 0).length >= minimumTypes &&
  (maxPerType === null || counts.every((count) => count <= maxPerType));

/** The lightest set that reaches the target, by trying every set that is lighter than the best before it. Always exact. */
export const everySet = <C extends Candidate>(
  problem: Problem<C>,
  { candidates, weight, keys, scale }: Pool<C>,
  members: number,
  effort: Effort,
): SearchResult<C> => {
  const { rules, fixed, typeUnavailability, limit = null } = problem;
  const cutoff = limit === null ? Number.POSITIVE_INFINITY : scale.above(limit);
  const slack = scale.exact ? 0 : rules.size;
  const typeOf = candidates.map(({ infrastructureType }) => INFRASTRUCTURE_TYPES.indexOf(infrastructureType));
  const counts = countsOf(fixed);
  const rows: number[] = [];
  let best: (Found<C> & { readonly weight: number; readonly price: bigint }) | null = null;
  let explored = 0;

  const offer = (total: number): void => {
    explored++;
    if (!keepsTypes(rules, counts)) return;
    const picked = rows.map((row) => candidates[row] as C);
    const price = picked.reduce((sum, { amount }) => sum + amount, 0n);
    if ((limit !== null && price >= limit) || (best && !scale.exact && price >= best.price)) return;
    effort.spend(STEPS_PER_CHANCE);
    const chance = availability([...fixed, ...picked], rules.requiredUp, typeUnavailability);
    if (chance >= rules.target) best = { picked, availability: chance, weight: total, price };
  };

  const pick = (from: number, total: number): void => {
    if (rows.length === members) return offer(total);
    for (let row = from; row <= candidates.length - (members - rows.length); row++) {
      effort.spend(1);
      const next = total + (weight[row] as number);
      const most = best === null ? cutoff : Math.min(cutoff, best.weight + slack);
      if (next >= most || rows.some((other) => rowsClash({ keys }, row, other))) continue;
      const type = typeOf[row] as number;
      counts[type] = (counts[type] as number) + 1;
      rows.push(row);
      pick(row + 1, next);
      rows.pop();
      counts[type] -= 1;
    }
  };

  pick(0, 0);
  const found = best as Found<C> | null;
  return {
    found: found && { picked: found.picked, availability: found.availability },
    explored,
    bound: null,
  };
};
