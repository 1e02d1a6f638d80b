import { compare, type Micro, toMicro, units } from '../money.ts';
import { type BoughtSet, findCheapest, type Market } from '../quorum/solve.ts';
import type { OpenedBid, Winner } from './events.ts';

/**
 * Pays each member of the cheapest set its critical value: the highest price at which it would still have been bought,
 * which is (least total without it) − (total of the others), never above the ceiling. A member without whom no set
 * exists is paid the ceiling. "Without it" bars its owner, so no owner gains by a second bid, and leaves every rule as
 * it was with it: the payment then depends on the others' prices alone and is never below the own bid.
 */
export const payCriticalValues = (market: Market, bought: BoughtSet, ceiling: Micro): Winner[] =>
  bought.members.map((bid: OpenedBid) => {
    const barredOwners = [...(market.barredOwners ?? []), bid.owner];
    const without = findCheapest({ ...market, barredOwners });
    if (!without) return { ...bid, payment: ceiling };
    const critical = toMicro(units(without.total) - (units(bought.total) - units(bid.price)));
    return { ...bid, payment: compare(critical, ceiling) < 0 ? critical : ceiling };
  });
