import { type Micro, multiply, units } from '../money.ts';
import { DEFAULT_T_REF } from '../tiers.ts';
import { msBetween } from '../time.ts';
import { LONGEST_BAR_DAYS } from './opinion.ts';
import { requiredStake } from './stake.ts';

/** What stands for a provider whose record speaks against it, until its record speaks for itself (settled 39). */
export interface Bond {
  readonly amount: Micro;
  readonly postedAt: string;
  /** The auction that it stood behind last, and stands behind until what was won there has ended; null before the first. */
  readonly chance: string | null;
}

/** Bonds of a provider: the one that is posted, and what became of earlier ones. */
export interface Bonded {
  readonly bond: Bond | null;
  /** How many a new fault took. */
  readonly bondsForfeited: number;
  /** When one ended last by deliveries or a fault; null before. */
  readonly bondEndedAt: string | null;
}

export const NO_BOND: Bonded = { bond: null, bondsForfeited: 0, bondEndedAt: null };

/** Times that the amount doubles; a bond of 64 stakes is more than six hours of all its capacity are worth. */
const MOST_DOUBLINGS = 6;

/**
 * The least bond: what bidding takes as stake, twice as much for each bond that the provider has forfeited. It follows
 * from the capacity that it can disappoint with; who crashes, pays and returns pays in geometric progression.
 */
export const requiredBond = (
  tops: number,
  { bondsForfeited }: Pick<Bonded, 'bondsForfeited'>,
  tRef: number = DEFAULT_T_REF,
): Micro => multiply(requiredStake(tops, tRef), 2 ** Math.min(bondsForfeited, MOST_DOUBLINGS));

const MS_PER_DAY = 86_400_000;

/**
 * Whether no bond may be posted yet at `now`: one has ended within as many days as the longest bar takes. Bonds thus let
 * nobody commit faults more than twice as often as who waits.
 */
export const restsFromBond = ({ bondEndedAt }: Pick<Bonded, 'bondEndedAt'>, now: string): boolean =>
  bondEndedAt !== null && msBetween(bondEndedAt, now) < LONGEST_BAR_DAYS * MS_PER_DAY;

/**
 * Whether a bond covers an order: all that the submitter holds for it, `escrow`, so that whoever has the order fail loses
 * no less than the submitter may.
 */
export const covers = ({ amount }: Pick<Bond, 'amount'>, escrow: Micro): boolean =>
  units(escrow) <= units(amount);
