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

// Plain loops: the solver asks thousands of times per award, and iterators here made up half of its time.

/** Distribution of how many members are up (index = count) once one more is among them. */
const withMember = (up: readonly number[], unavailability: number): number[] => {
  const next = [(up[0] ?? 0) * unavailability];
  for (let count = 1; count < up.length; count++) {
    next.push((up[count] ?? 0) * unavailability + (up[count - 1] ?? 0) * (1 - unavailability));
  }
  next.push((up.at(-1) ?? 0) * (1 - unavailability));
  return next;
};

/** The same when the whole type is down with probability `outage`. */
const withOutage = (up: readonly number[], outage: number): number[] => {
  const next: number[] = [];
  for (let count = 0; count < up.length; count++) {
    next.push((up[count] ?? 0) * (1 - outage) + (count === 0 ? outage : 0));
  }
  return next;
};

/** Distribution of the sum of two independent counts. */
const convolve = (a: readonly number[], b: readonly number[]): number[] => {
  const sums: number[] = [];
  for (let total = 0; total < a.length + b.length - 1; total++) {
    let sum = 0;
    const last = Math.min(total, a.length - 1);
    for (let i = Math.max(0, total - b.length + 1); i <= last; i++) sum += (a[i] ?? 0) * (b[total - i] ?? 0);
    sums.push(sum);
  }
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
    if (shares.length > 1) shares.sort((a, b) => a - b);
    let up = [1];
    for (const unavailability of shares) up = withMember(up, unavailability);
    total = convolve(total, withOutage(up, typeUnavailability[type] ?? 0));
  }
  let enough = 0;
  for (let count = Math.max(0, requiredUp); count < total.length; count++) enough += total[count] ?? 0;
  return Math.round(enough * PRECISION) / PRECISION;
};
