import { type Micro, multiply, toMicro, units } from '../money.ts';
import { TIERS } from '../tiers.ts';
import { msBetween } from '../time.ts';

/** What capacity costs whoever keeps it without a job (settled 41): an enclave, or an award that waits to be taken. */
export interface Rent {
  /** Price of an hour. */
  readonly hourly: Micro;
  /** Held from the account for the longest time that it may be kept. */
  readonly held: Micro;
}

/** Least time that is paid for, seconds: who creates and ends enclaves one after the other keeps a place as well. */
const LEAST_RENTED_SECONDS = 60;

const MS_PER_HOUR = 3_600_000n;

/** `hourly` for `ms`, rounded up as every charge (settled 10). */
const priceOf = (hourly: Micro, ms: bigint): bigint => (units(hourly) * ms + MS_PER_HOUR - 1n) / MS_PER_HOUR;

/** What `seconds` of it cost. */
export const rentFor = (hourly: Micro, seconds: number): Micro =>
  toMicro(priceOf(hourly, BigInt(Math.ceil(seconds * 1000))));

/** Each core is priced like an H200-hour of bronze. */
export const rentOf = ({ cpuCores }: { readonly cpuCores: number }, lifetimeSeconds: number): Rent => {
  const hourly = multiply(TIERS.bronze.rateMicro, cpuCores);
  return { hourly, held: rentFor(hourly, lifetimeSeconds) };
};

/** What the time from `from` to `to` costs, or `least` seconds where it was shorter; never more than is held. */
export const chargeFor = (
  { hourly, held }: Rent,
  from: string,
  to: string,
  least = LEAST_RENTED_SECONDS,
): Micro => {
  const ms = Math.max(msBetween(from, to), least * 1000);
  const price = priceOf(hourly, BigInt(ms));
  return price > units(held) ? held : toMicro(price);
};
