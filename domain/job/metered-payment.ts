import { type Micro, toMicro, units } from '../money.ts';
import type { JobSubmitted } from './events.ts';
import { fuelLimitOf } from './fuel.ts';

/** Least share of its price that a member is paid, one in so many: its place was held (settled 45). */
const LEAST_SHARE = 20n;

/**
 * What a member is owed for its part (settled 45): of the price that it was promised, the share of the declared work that
 * the run used, and never below 5 %. Rounded up as every charge (settled 10). A run whose work nobody can tell is owed it all.
 * @param price micro-units, promised for all of the declared work
 * @param fuelUsed fuel of the accepted run, at most the job's limit; undefined before metering, and
 *   where every run was out of time: all of the time that was declared was taken
 */
export const meteredPayment = (
  price: Micro,
  job: Pick<JobSubmitted, 'requiredTops' | 'utilization' | 'durationSeconds'>,
  fuelUsed: number | undefined,
): Micro => {
  if (fuelUsed === undefined) return price;
  const limit = BigInt(fuelLimitOf(job));
  const used = BigInt(fuelUsed);
  const counted = used > limit ? limit : used * LEAST_SHARE < limit ? null : used;
  return counted === null
    ? toMicro((units(price) + LEAST_SHARE - 1n) / LEAST_SHARE)
    : toMicro((units(price) * counted + limit - 1n) / limit);
};
