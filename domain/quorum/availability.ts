import { INFRASTRUCTURE_TYPES, type InfrastructureType } from '../tiers.ts';

/** Outage share of each whole infrastructure type; a type that is not listed never fails as a whole. */
export type TypeUnavailability = Readonly<Partial<Record<InfrastructureType, number>>>;

export interface AvailabilityMember {
  readonly infrastructureType: InfrastructureType;
  /** Probability that the member is down while its type is up. */
  readonly unavailability: number;
}

/** Results carry 12 decimals, so that noise in the last bits of a double never decides a comparison with a target. */
const PRECISION = 1e12;

/** Distribution of the number of members up, for one more member: index = how many are up. */
const withMember = (up: readonly number[], unavailability: number): number[] => {
  const next = new Array<number>(up.length + 1).fill(0);
  for (const [count, probability] of up.entries()) {
    next[count] = (next[count] as number) + probability * unavailability;
    next[count + 1] = probability * (1 - unavailability);
  }
  return next;
};

/** With probability `outage` the whole type is down and none of its members is up. */
const withOutage = (up: readonly number[], outage: number): number[] =>
  up.map((probability, count) => probability * (1 - outage) + (count === 0 ? outage : 0));

const convolve = (a: readonly number[], b: readonly number[]): number[] => {
  const sums = new Array<number>(a.length + b.length - 1).fill(0);
  for (const [i, x] of a.entries())
    for (const [j, y] of b.entries()) sums[i + j] = (sums[i + j] as number) + x * y;
  return sums;
};

/**
 * Probability that at least `requiredUp` of `members` are up (domain-rules 3.1): a member is up when its type and the
 * member itself are; types fail independently, members fail independently given that their type is up.
 *
 * The sum over the ≤ 64 up/down patterns of the types factorises into one Poisson-binomial distribution per type,
 * mixed with that type's outage, and their convolution: exact in O(n²). Members are taken in a canonical order, so the
 * same set gives the same number whatever order it comes in.
 */
export const availability = (
  members: readonly AvailabilityMember[],
  requiredUp: number,
  typeUnavailability: TypeUnavailability,
): number => {
  let total = [1];
  for (const type of INFRASTRUCTURE_TYPES) {
    const shares: number[] = [];
    for (const member of members) if (member.infrastructureType === type) shares.push(member.unavailability);
    if (shares.length === 0) continue;
    const up = shares.sort((a, b) => a - b).reduce(withMember, [1]);
    total = convolve(total, withOutage(up, typeUnavailability[type] ?? 0));
  }
  const enough = total.slice(Math.max(0, requiredUp)).reduce((sum, probability) => sum + probability, 0);
  return Math.round(enough * PRECISION) / PRECISION;
};
