import { type InfrastructureType, MEMBER_UNAVAILABILITY } from '../tiers.ts';

/** Runs that the prior of a type is worth: what is known of a class outweighs the first few runs of one member. */
const PRIOR_RUNS = 500;

/** How often a member was counted on, and how often it went away in the middle. */
export interface Reliability {
  readonly runs: number;
  readonly losses: number;
}

/**
 * Probability that a member is down while its type is up: the type's prior blended with the member's own record
 * (settled 15), as the mean of a Beta distribution whose prior weighs `PRIOR_RUNS` runs.
 */
export const memberUnavailability = (type: InfrastructureType, { runs, losses }: Reliability): number =>
  (MEMBER_UNAVAILABILITY[type] * PRIOR_RUNS + losses) / (PRIOR_RUNS + runs);
