import { type Micro, subtract, toMicro, units } from '../money.ts';
import { dividedBy, rationalOf } from '../rational.ts';
import { DEFAULT_T_REF, MINIMUM_STAKE, STAKE_PERCENT, TIERS } from '../tiers.ts';
import { isBefore } from '../time.ts';

/** Stake on its way back: it counts for no bid any more, but a fraud still takes it. */
export interface Unbonding {
  readonly amount: Micro;
  /** From this instant on it may be withdrawn. */
  readonly releasesAt: string;
}

/** What a provider has locked, and the part of it that unbonds. */
export interface Staked {
  readonly stake: Micro;
  readonly unbonding: readonly Unbonding[];
}

const sumOf = (parts: readonly Unbonding[]): bigint =>
  parts.reduce((sum, { amount }) => sum + units(amount), 0n);

/** The stake that stands behind its bids. */
export const bondedStake = ({ stake, unbonding }: Staked): Micro =>
  subtract(stake, toMicro(sumOf(unbonding)));

/** What has unbonded by `now`. */
export const withdrawable = ({ unbonding }: Staked, now: string): Micro =>
  toMicro(sumOf(unbonding.filter(({ releasesAt }) => !isBefore(now, releasesAt))));

/** What has not. */
export const stillUnbonding = ({ unbonding }: Staked, now: string): readonly Unbonding[] =>
  unbonding.filter(({ releasesAt }) => isBefore(now, releasesAt));

/**
 * The stake that bidding takes (settled 42): a share of what the offered TOPS are worth in an hour at the list price,
 * gold's, rounded up, and a least amount. H200-hours count by `tRef` TOPS, as in prices.
 */
export const requiredStake = (tops: number, tRef: number = DEFAULT_T_REF): Micro => {
  const { numerator, denominator } = dividedBy(rationalOf(tops), rationalOf(tRef));
  const share = numerator * units(TIERS.gold.rateMicro) * STAKE_PERCENT;
  const divisor = denominator * 100n;
  const amount = (share + divisor - 1n) / divisor;
  return amount > units(MINIMUM_STAKE) ? toMicro(amount) : MINIMUM_STAKE;
};
