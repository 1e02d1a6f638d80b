import { FUEL_PER_TOPS_SECOND } from '../tiers.ts';
import type { JobSubmitted } from './events.ts';

/** Fuel that each run of a job may use: what its declared work comes to (settled 44). A whole number, at least 1. */
export const fuelLimitOf = ({
  requiredTops,
  utilization,
  durationSeconds,
}: Pick<JobSubmitted, 'requiredTops' | 'utilization' | 'durationSeconds'>): number =>
  Math.min(
    Number.MAX_SAFE_INTEGER,
    Math.max(1, Math.ceil(requiredTops * utilization * durationSeconds * FUEL_PER_TOPS_SECOND)),
  );
