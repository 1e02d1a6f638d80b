import type { InfrastructureType } from '../../tiers.ts';
import { availability } from '../availability.ts';
import type { Box } from './box.ts';
import { chanceOf } from './chance.ts';
import { cheapest } from './cheapest.ts';
import { undominated } from './dominance.ts';
import type { Effort } from './effort.ts';
import { everySet, hasFewSets } from './every-set.ts';
import { mostAvailable } from './most-available.ts';
import { poolOf } from './pool.ts';
import type { Candidate, Objective, Problem, SearchResult } from './problem.ts';
import { type Shape, shapesOf } from './shape.ts';

/**
 * Exact search over (infrastructure type, owner, network, region), within an effort.
 *
 * Availability depends on types first, so the outer level is how many members each type gives (at most a few hundred
 * shapes); each is a box of candidate lists that is bounded, thinned and cut further. A few sets are tried one by one.
 */
export const search = <C extends Candidate>(
  problem: Problem<C>,
  objective: Objective,
  effort: Effort,
): SearchResult<C> => {
  const { rules, fixed, candidates, typeUnavailability } = problem;
  const members = Math.max(0, rules.size - fixed.length);
  if (members === 0) {
    const chance = availability(fixed, rules.requiredUp, typeUnavailability);
    const enough = objective === 'most-available' || chance >= rules.target;
    return { found: enough ? { picked: [], availability: chance } : null, explored: 0, bound: null };
  }
  const pool = poolOf(rules, fixed, candidates, members);
  if (objective === 'cheapest' && hasFewSets(pool.candidates.length, members))
    return everySet(problem, pool, members, effort);
  const rows = new Map<InfrastructureType, Int32Array>();
  for (const [type, all] of pool.ofType)
    rows.set(type, objective === 'cheapest' ? undominated(pool, all, members, effort) : all);
  const boxOf = ({ slots }: Shape): Box => ({
    slots,
    chance: chanceOf(slots, fixed, rules.requiredUp, typeUnavailability),
    domains: slots.map((type) => rows.get(type) as Int32Array),
  });
  const solve = objective === 'cheapest' ? cheapest : mostAvailable;
  return solve(problem, pool, shapesOf(rules, fixed, pool, rows), boxOf, effort);
};
