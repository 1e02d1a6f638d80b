import { type Micro, multiply, toMicro, units } from '../money.ts';
import { TIERS } from '../tiers.ts';
import { msBetween } from '../time.ts';

/** What an enclave without a job costs its creator (settled 41): it keeps a place of its node from jobs that would pay. */
export interface Rent {
  /** Price of an hour. */
  readonly hourly: Micro;
  /** Held from the creator's account for the longest life it may have. */
  readonly held: Micro;
}

/** Least time that is paid for, seconds: who creates and ends enclaves one after the other keeps a place as well. */
const LEAST_RENTED_SECONDS = 60;

const MS_PER_HOUR = 3_600_000n;

/** `hourly` for `ms`, rounded up as every charge (settled 10). */
const priceOf = (hourly: Micro, ms: bigint): bigint => (units(hourly) * ms + MS_PER_HOUR - 1n) / MS_PER_HOUR;

/** Each core is priced like an H200-hour of bronze. */
export const rentOf = ({ cpuCores }: { readonly cpuCores: number }, lifetimeSeconds: number): Rent => {
  const hourly = multiply(TIERS.bronze.rateMicro, cpuCores);
  return { hourly, held: toMicro(priceOf(hourly, BigInt(Math.ceil(lifetimeSeconds * 1000)))) };
};

/** What the time from `from` to `to` costs; never more than is held. */
export const chargeFor = ({ hourly, held }: Rent, from: string, to: string): Micro => {
  const ms = Math.max(msBetween(from, to), LEAST_RENTED_SECONDS * 1000);
  const price = priceOf(hourly, BigInt(ms));
  return price > units(held) ? held : toMicro(price);
};
