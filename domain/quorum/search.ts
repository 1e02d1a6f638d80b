import { INFRASTRUCTURE_TYPES, type InfrastructureType } from '../tiers.ts';
import { type AvailabilityMember, availability, type TypeUnavailability } from './availability.ts';
import { clash, type SetMember, type SetRules } from './feasibility.ts';

/** A member that may be picked. The search minimises the sum of weights. */
export interface Candidate extends SetMember {
  readonly weight: bigint;
}

export interface Problem<C extends Candidate> {
  readonly rules: SetRules;
  /** Members that are in whatever happens; they keep the rules among themselves. */
  readonly fixed: readonly SetMember[];
  readonly candidates: readonly C[];
  readonly typeUnavailability: TypeUnavailability;
}

/**
 * What the search looks for: the set of least weight that reaches the target, or the most available set, for which the
 * target does not count and weights only order the search.
 */
export type Objective = 'cheapest' | 'most-available';

export interface Found<C extends Candidate> {
  readonly picked: readonly C[];
  readonly availability: number;
}

export interface SearchResult<C extends Candidate> {
  readonly found: Found<C> | null;
  /** Nodes expanded: the effort, independent of the machine. */
  readonly explored: number;
}

/** So many members still wanted of one infrastructure type, and who may be among them, lightest first. */
interface Slot<C> {
  readonly need: number;
  readonly pool: readonly C[];
}

interface Composition<C> {
  readonly slots: readonly Slot<C>[];
  /** Of the lightest members, whether or not they clash. */
  readonly weight: bigint;
}

const lightest = (slot: Slot<Candidate>): bigint => {
  let sum = 0n;
  for (let index = 0; index < slot.need; index++) sum += (slot.pool[index] as Candidate).weight;
  return sum;
};

/** As many members as a slot still needs, each as reliable as the best of its pool. */
const idealMembers = (slots: readonly Slot<Candidate>[]): AvailabilityMember[] =>
  slots.flatMap(({ need, pool }) => {
    if (need === 0) return [];
    const best = pool.reduce((a, b) => (b.unavailability < a.unavailability ? b : a));
    return Array<AvailabilityMember>(need).fill(best);
  });

/**
 * Exact branch and bound over (infrastructure type, owner, ASN, region).
 *
 * Availability depends on types first, so the outer level enumerates how many members each type gives (at most a few
 * hundred compositions) and drops those whose best conceivable availability misses the target. The inner level picks
 * members slot by slot, lightest first, and cuts a branch when its lightest completion is no lighter than the best set
 * found, when a slot has too few members left that clash with nobody, or when the target is out of reach. Each bound
 * relaxes only rules among members not yet picked, so no optimum is cut.
 */
export const search = <C extends Candidate>(problem: Problem<C>, objective: Objective): SearchResult<C> => {
  const { rules, fixed, typeUnavailability } = problem;
  const cheapest = objective === 'cheapest';
  const free = problem.candidates.filter((candidate) =>
    fixed.every((member) => !clash(rules, member, candidate)),
  );
  const order = cheapest
    ? (a: C, b: C) => (a.weight < b.weight ? -1 : 1)
    : (a: C, b: C) => a.unavailability - b.unavailability || (a.weight < b.weight ? -1 : 1);
  const pools = new Map<InfrastructureType, C[]>(
    INFRASTRUCTURE_TYPES.map((type) => [
      type,
      free.filter((each) => each.infrastructureType === type).sort(order),
    ]),
  );

  let best: Found<C> | null = null;
  let bestWeight: bigint | null = null;
  let explored = 0;
  const tooHeavy = (weight: bigint): boolean => cheapest && bestWeight !== null && weight >= bestWeight;
  const tooUnsure = (chance: number): boolean =>
    cheapest ? chance < rules.target : best !== null && chance <= best.availability;
  const chanceOf = (picked: readonly C[], slots: readonly Slot<C>[]): number =>
    availability([...fixed, ...picked, ...idealMembers(slots)], rules.requiredUp, typeUnavailability);

  const compositions = (): Composition<C>[] => {
    const complete: Composition<C>[] = [];
    const spread = (index: number, left: number, types: number, slots: readonly Slot<C>[]): void => {
      const type = INFRASTRUCTURE_TYPES[index];
      if (type === undefined) {
        if (left > 0 || types < rules.minimumTypes) return;
        complete.push({
          // The scarcest type first: it branches least.
          slots: slots.toSorted((a, b) => a.pool.length - b.pool.length),
          weight: slots.reduce((sum, slot) => sum + lightest(slot), 0n),
        });
        return;
      }
      const pool = pools.get(type) as C[];
      const taken = fixed.filter((member) => member.infrastructureType === type).length;
      const room = Math.max(0, (rules.maxPerType ?? rules.size) - taken);
      for (let need = 0; need <= Math.min(left, room, pool.length); need++) {
        const slot = need > 0 ? [{ need, pool }] : [];
        spread(index + 1, left - need, types + (need + taken > 0 ? 1 : 0), [...slots, ...slot]);
      }
    };
    spread(0, rules.size - fixed.length, 0, []);
    if (cheapest) return complete.sort((a, b) => (a.weight < b.weight ? -1 : 1));
    return complete
      .map((composition) => ({ composition, chance: chanceOf([], composition.slots) }))
      .sort((a, b) => b.chance - a.chance)
      .map(({ composition }) => composition);
  };

  /** Slots left once `pick`, the member at `index` of the first slot, is in; null when one cannot be filled. */
  const after = (slots: readonly Slot<C>[], index: number, pick: C): Slot<C>[] | null => {
    const rest: Slot<C>[] = [];
    for (const [position, slot] of slots.entries()) {
      const need = position === 0 ? slot.need - 1 : slot.need;
      if (need === 0) continue;
      const open = position === 0 ? slot.pool.slice(index + 1) : slot.pool;
      const pool = open.filter((candidate) => !clash(rules, pick, candidate));
      if (pool.length < need) return null;
      rest.push({ need, pool });
    }
    return rest;
  };

  const descend = (slots: readonly Slot<C>[], picked: readonly C[], weight: bigint): void => {
    explored++;
    const [first, ...others] = slots;
    if (first === undefined) {
      best = { picked, availability: chanceOf(picked, []) };
      bestWeight = weight;
      return;
    }
    const othersWeight = others.reduce((sum, slot) => sum + lightest(slot), 0n);
    for (let index = 0; index + first.need <= first.pool.length; index++) {
      const window = { need: first.need, pool: first.pool.slice(index, index + first.need) };
      if (tooHeavy(weight + lightest(window) + othersWeight)) break;
      const pick = first.pool[index] as C;
      const rest = after(slots, index, pick);
      if (rest === null) continue;
      const total = weight + pick.weight;
      if (tooHeavy(rest.reduce((sum, slot) => sum + lightest(slot), total))) continue;
      const chosen = [...picked, pick];
      if (tooUnsure(chanceOf(chosen, rest))) continue;
      descend(rest, chosen, total);
    }
  };

  for (const composition of compositions()) {
    if (tooHeavy(composition.weight)) break;
    if (!tooUnsure(chanceOf([], composition.slots))) descend(composition.slots, [], 0n);
  }
  return { found: best, explored };
};
