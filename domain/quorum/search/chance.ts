import { INFRASTRUCTURE_TYPES, type InfrastructureType } from '../../tiers.ts';
import type { AvailabilityMember, TypeUnavailability } from '../availability.ts';

/** Availability of a set from the unavailability of each slot, not rounded. */
export type Chance = (unavailabilities: Float64Array) => number;

/**
 * Differences below this may be noise: `availability` rounds to 12 decimals and sums in another order. A bound is only
 * used beyond it.
 */
export const NOISE = 2e-12;

/** One type: the distribution of its fixed members that are up, and how many more come from slots. */
interface Group {
  readonly outage: number;
  readonly members: number;
  readonly fixed: Float64Array;
  readonly slots: number;
}

/**
 * The formula of `availability` for one choice of types, made for being asked often: what depends on fixed members alone
 * is computed once, and no memory is taken per question.
 *
 * @param slots types of the members to pick, in the order of INFRASTRUCTURE_TYPES.
 */
export const chanceOf = (
  slots: readonly InfrastructureType[],
  fixed: readonly AvailabilityMember[],
  requiredUp: number,
  typeUnavailability: TypeUnavailability,
): Chance => {
  const room = fixed.length + slots.length + 1;
  const groups: Group[] = INFRASTRUCTURE_TYPES.flatMap((type) => {
    const members = fixed.filter((member) => member.infrastructureType === type);
    const wanted = slots.filter((slot) => slot === type).length;
    if (members.length + wanted === 0) return [];
    const up = new Float64Array(room);
    up[0] = 1;
    for (const [count, { unavailability }] of members.entries()) addMember(up, count, unavailability);
    return [{ outage: typeUnavailability[type] ?? 0, members: members.length, fixed: up, slots: wanted }];
  });
  const up = new Float64Array(room);
  let total = new Float64Array(room);
  let next = new Float64Array(room);
  return (unavailabilities) => {
    total[0] = 1;
    let members = 0;
    let slot = 0;
    for (let at = 0; at < groups.length; at++) {
      const { outage, members: kept, fixed: start, slots: wanted } = groups[at] as Group;
      let count = kept;
      for (let index = 0; index <= count; index++) up[index] = start[index] as number;
      for (let index = 0; index < wanted; index++) addMember(up, count++, unavailabilities[slot++] as number);
      for (let index = 0; index <= count; index++) up[index] = (up[index] as number) * (1 - outage);
      up[0] = (up[0] as number) + outage;
      for (let sum = 0; sum <= members + count; sum++) {
        let share = 0;
        const last = Math.min(sum, members);
        for (let index = Math.max(0, sum - count); index <= last; index++)
          share += (total[index] as number) * (up[sum - index] as number);
        next[sum] = share;
      }
      [total, next] = [next, total];
      members += count;
    }
    let enough = 0;
    for (let index = requiredUp; index <= members; index++) enough += total[index] as number;
    return enough;
  };
};

/** One more member in a distribution over how many of `count` are up. */
function addMember(up: Float64Array, count: number, unavailability: number): void {
  up[count + 1] = (up[count] as number) * (1 - unavailability);
  for (let index = count; index > 0; index--)
    up[index] = (up[index] as number) * unavailability + (up[index - 1] as number) * (1 - unavailability);
  up[0] = (up[0] as number) * unavailability;
}
