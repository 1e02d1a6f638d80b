import { amountOf, surchargeOf } from '../auction/amount.ts';
import type { OpenedBid } from '../auction/events.ts';
import { add, compare, type Micro, toMicro, units } from '../money.ts';
import type { Effort } from './search/effort.ts';
import { findCheapest, type Market } from './solve.ts';

/**
 * Share of the ceiling by which a loss may raise a payment, percent: what the lost member forfeits at the least
 * (`FORFEIT_PERCENT`), so that nobody crashes one member for the sake of another.
 */
const RAISE_PERCENT = 10n;

export const lower = (a: Micro, b: Micro): Micro => (compare(a, b) < 0 ? a : b);
export const higher = (a: Micro, b: Micro): Micro => (compare(a, b) > 0 ? a : b);

/** `amount` and a tenth of the ceiling, within the ceiling. */
export const raised = (amount: Micro, ceiling: Micro): Micro =>
  lower(add(amount, toMicro((units(ceiling) * RAISE_PERCENT) / 100n)), ceiling);

/** The most that whoever joins others of these prices is paid after a loss. */
export const highestBeside = (others: readonly { readonly price: Micro }[], ceiling: Micro): Micro => {
  const [first, ...more] = others.map(({ price }) => price);
  // Alone, there is no price to go by.
  return first === undefined ? ceiling : raised(more.reduce(higher, first), ceiling);
};

/** What a bid is worth beside others, in a market that it is part of. */
export interface Worth {
  /** The highest price at which it would be bought; null where no set has it in. */
  readonly critical: Micro | null;
  /** The cheapest that complete a set with it: whom it stands beside, whatever its own price. */
  readonly beside: readonly OpenedBid[];
  readonly exact: boolean;
}

/**
 * The critical value of one bid in the market as it was at the award, without the owners lost (settled 38): the highest
 * price at which the cheapest set of everybody left would still have it, never above the ceiling, which is the answer
 * where no set exists without it. Neither this nor `beside` depends on its own price.
 *
 * @param everybody members kept and reserve, candidates alike; without the owners lost.
 * @param within others with which the bid is known to complete a set, for a search that ends before it has found one.
 */
export const worthOf = (
  everybody: Market,
  bid: OpenedBid,
  within: readonly OpenedBid[] | null,
  ceiling: Micro,
  effort: Effort,
): Worth => {
  // Its own price is in whatever set it is in, so it is kept like a survivor.
  const candidates = everybody.candidates.filter(({ bidId }) => bidId !== bid.bidId);
  const found = findCheapest({ ...everybody, fixed: [bid], candidates }, effort.part(0.5));
  const beside = found.ok ? found.members : within;
  const isProven = found.ok ? found.bound === null : found.exhaustive;
  if (!beside) return { critical: null, beside: [], exact: isProven };
  // All that is bought beside its price: the others, and its own surcharge.
  const others = beside.reduce((sum, each) => sum + amountOf(each), surchargeOf(bid));
  const barredOwners = [...(everybody.barredOwners ?? []), bid.owner];
  const without = findCheapest({ ...everybody, barredOwners }, effort, { limit: others + units(ceiling) });
  const exact = isProven && (without.ok ? without.bound === null : without.exhaustive);
  return { critical: without.ok ? toMicro(units(without.total) - others) : ceiling, beside, exact };
};
