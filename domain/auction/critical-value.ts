import { compare, type Micro, toMicro, units } from '../money.ts';
import type { Effort } from '../quorum/search/effort.ts';
import { type BoughtSet, findCheapest, type Market } from '../quorum/solve.ts';
import type { OpenedBid, Winner } from './events.ts';

/** How an answer came about. */
export type Solution =
  /** Nothing is cheaper, and every payment is the critical value. */
  | { readonly method: 'exact' }
  /** The effort ended before that was known: the best set found; no set costs less than `atLeast`. */
  | { readonly method: 'best-found'; readonly atLeast: Micro };

export interface Purchase {
  readonly winners: readonly Winner[];
  readonly bought: BoughtSet;
  readonly solution: Solution;
}

/** Searches for critical values may find a better set; it is bought instead, so many times at most. */
const MOST_BETTER_SETS = 3;

/**
 * Pays each member of the cheapest set its critical value: the highest price at which it would still have been bought,
 * which is (least total without it) − (total of the others) − its own surcharge, never above the ceiling. A member without whom no set
 * exists is paid the ceiling. "Without it" bars its owner, so no owner gains by a second bid, and leaves every rule as
 * it was with it: the payment then depends on the others' prices, and on surcharges that depend on nobody's price, and is
 * never below the own bid.
 *
 * When the effort ends before (`best-found`), "least" becomes "least found". Then a payment is still at least the own bid and at
 * most the ceiling, and never below the critical value: a total found is no less than the least one. What is lost is
 * truthfulness: a bid may change where the search gets within its effort, so a lie can pay.
 */
export const purchase = (market: Market, first: BoughtSet, ceiling: Micro, effort: Effort): Purchase => {
  let bought = first;
  let known: readonly (readonly OpenedBid[])[] = [first.members];
  for (let better = 0; ; better++) {
    const result = pay(market, bought, ceiling, effort, known);
    const [cheaper] = result.found
      .filter(({ total }) => compare(total, bought.total) < 0)
      .toSorted((a, b) => compare(a.total, b.total));
    if (!cheaper || better === MOST_BETTER_SETS) return { ...result, bought };
    known = [...known, ...result.found.map(({ members }) => members)];
    // It keeps every rule with its owners' rival in, too; what is proven of all sets stays.
    bought = { ...cheaper, bound: bought.bound };
  }
};

const pay = (
  market: Market,
  bought: BoughtSet,
  ceiling: Micro,
  effort: Effort,
  known: readonly (readonly OpenedBid[])[],
) => {
  const found: BoughtSet[] = [];
  let exact = bought.bound === null;
  const winners = bought.members.map((bid, index): Winner => {
    // All that is bought beside its price: the others, and its own surcharge.
    const others = units(bought.total) - units(bid.price);
    const without = findCheapest(
      { ...market, barredOwners: [...(market.barredOwners ?? []), bid.owner] },
      effort.part(1 / (bought.members.length - index)),
      // A total from here on means the ceiling.
      { limit: others + units(ceiling), known },
    );
    if (!without.ok) {
      if (!without.exhaustive) exact = false;
      return { ...bid, payment: ceiling };
    }
    found.push(without);
    if (without.bound !== null) exact = false;
    const critical = toMicro(units(without.total) - others);
    return { ...bid, payment: compare(critical, bid.price) < 0 ? bid.price : critical };
  });
  const solution: Solution = exact
    ? { method: 'exact' }
    : { method: 'best-found', atLeast: bought.bound ?? bought.total };
  return { winners, found, solution };
};
