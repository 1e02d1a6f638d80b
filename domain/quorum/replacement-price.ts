import { amountOf, surchargeOf } from '../auction/amount.ts';
import type { Purchase, Solution } from '../auction/critical-value.ts';
import type { OpenedBid, Winner } from '../auction/events.ts';
import { compare, type Micro, toMicro, units } from '../money.ts';
import type { Effort } from './search/effort.ts';
import { type BoughtSet, findCheapest, type Market } from './solve.ts';

/** What a search proved, for amounts that depend on it. */
interface Total {
  /** Null when there is no set below the limit. */
  readonly units: bigint | null;
  readonly exact: boolean;
}

const totalOf = (market: Market, effort: Effort, limit?: bigint): Total => {
  const found = findCheapest(market, effort, limit === undefined ? {} : { limit });
  return found.ok
    ? { units: units(found.total), exact: found.bound === null }
    : { units: null, exact: found.exhaustive };
};

/**
 * Pays the members added to a quorum their critical values in the market as it was at the award, without the owners
 * lost (settled 38): the highest price at which the whole set, bought again from everybody left, would still have them.
 * So who replaces has the survivors for rivals too, as it had at the award; among the reserve alone the last one left
 * was paid the ceiling. Never below the own bid, and never above the ceiling, which is paid where no set exists without
 * the member.
 *
 * @param market the replacement's own market, survivors fixed.
 * @param survivors the bids of the members kept, candidates like all others here.
 */
export const payReplacements = (
  market: Market,
  survivors: readonly OpenedBid[],
  bought: BoughtSet,
  ceiling: Micro,
  effort: Effort,
): Purchase => {
  const { fixed: _, ...terms } = market;
  const everybody: Market = { ...terms, candidates: [...survivors, ...market.candidates] };
  let exact = bought.bound === null;
  const winners = bought.members.map((bid, index): Winner => {
    const share = effort.part(1 / (bought.members.length - index));
    // The least that the others cost beside it. Its own price is in whatever it is, so it is kept like a survivor.
    const beside = totalOf(
      { ...everybody, fixed: [bid], candidates: everybody.candidates.filter((each) => each !== bid) },
      share.part(0.5),
    );
    // The set bought has it in, so beside it there is one.
    const others = (beside.units ?? units(bought.total) - amountOf(bid)) + surchargeOf(bid);
    const barredOwners = [...(market.barredOwners ?? []), bid.owner];
    const without = totalOf({ ...everybody, barredOwners }, share, others + units(ceiling));
    if (!beside.exact || !without.exact) exact = false;
    const critical = without.units === null ? ceiling : toMicro(without.units - others);
    return { ...bid, payment: compare(critical, bid.price) < 0 ? bid.price : critical };
  });
  const solution: Solution = exact
    ? { method: 'exact' }
    : { method: 'best-found', atLeast: bought.bound ?? bought.total };
  return { winners, bought, solution };
};
