import { amountOf } from '../auction/amount.ts';
import type { OpenedBid, Placement } from '../auction/events.ts';
import { drawLots, inTieOrder, type Lots, lotOf } from '../auction/tie-break.ts';
import { type Micro, toMicro } from '../money.ts';
import type { TierName } from '../tiers.ts';
import type { TypeUnavailability } from './availability.ts';
import type { Violation } from './events.ts';
import { explain } from './explain.ts';
import { brokenDiversity, memberOf, offeredTypesOf, rulesFor } from './feasibility.ts';
import { type Effort, effortOf } from './search/effort.ts';
import type { Candidate, Problem } from './search/problem.ts';
import { search } from './search/search.ts';

/** Who may be bought, and what is wanted of the set. */
export interface Market {
  readonly tier: TierName;
  readonly candidates: readonly OpenedBid[];
  /** Members kept, beside whom the rest is bought. */
  readonly fixed?: readonly Placement[];
  /** Members of the whole set; the tier's own number unless given. */
  readonly size?: number;
  /** Owners whose candidates may not be picked. They still count among the types on offer. */
  readonly barredOwners?: readonly string[];
  /** Infrastructure types on offer, where more are than among `fixed` and `candidates`. */
  readonly offeredTypes?: number;
  readonly typeUnavailability: TypeUnavailability;
  /** Fixed before the bids; breaks ties (invariant 9). */
  readonly seed: string;
  /** The lots that the seed gives the candidates, where they are drawn already. */
  readonly lots?: Lots;
}

/** What helps a search along; it does not change an exact answer. */
export interface Hints {
  /** Only sets of a lower total are looked for. */
  readonly limit?: bigint;
  /** Sets that were found before. */
  readonly known?: readonly (readonly OpenedBid[])[];
}

export interface BoughtSet {
  readonly ok: true;
  /** The bids bought, in tie order; without the members kept. */
  readonly members: readonly OpenedBid[];
  /** Of the whole set, members kept included. */
  readonly predictedAvailability: number;
  /** Sum of the prices of `members` and their surcharges. */
  readonly total: Micro;
  /** Null when no set costs less. Else the effort ended before that was known, and this much it costs at least. */
  readonly bound: Micro | null;
  /** Boxes that the search bounded. */
  readonly explored: number;
}

/** No set; `exhaustive` when there is none, else the effort ended before one was found. */
export interface NothingFound {
  readonly ok: false;
  readonly exhaustive: boolean;
}

export interface NoSet extends NothingFound {
  readonly violations: readonly Violation[];
}

/**
 * Steps that one answer to a market may take, about a second of an ordinary core. All critical values of an award come
 * out of it. Markets of up to a hundred bids end after a hundredth of it, so it is there for the worst of a thousand.
 */
export const SOLVE_STEPS = 60_000_000;

export const solveEffort = (): Effort => effortOf(SOLVE_STEPS);

type BidCandidate = Candidate & OpenedBid;

const problemOf = (
  market: Market,
  { limit, known = [] }: Hints = {},
): { problem: Problem<BidCandidate>; ordered: readonly OpenedBid[] } => {
  const { tier, candidates, fixed = [], size, barredOwners = [], typeUnavailability, seed } = market;
  const offeredTypes = market.offeredTypes ?? offeredTypesOf([...fixed, ...candidates]);
  const lots = market.lots ?? drawLots(seed, candidates);
  const ordered = inTieOrder(
    lots,
    candidates.filter(({ owner }) => !barredOwners.includes(owner)),
  );
  return {
    ordered,
    problem: {
      rules: rulesFor({ tier, offeredTypes, ...(size === undefined ? {} : { size }) }),
      fixed: fixed.map(memberOf),
      candidates: ordered.map((bid) => ({
        ...memberOf(bid),
        amount: amountOf(bid),
        lot: lotOf(lots, bid.bidId),
      })),
      typeUnavailability,
      ...(limit === undefined ? {} : { limit }),
      known: known.map((set) => set.map(({ providerId }) => providerId)),
    },
  };
};

/**
 * Whether any set keeps every rule and reaches the availability. Looks at no price, not even at the end of its effort,
 * where the answer is no unless a set was found.
 */
export const hasSet = (market: Market, effort: Effort): boolean => {
  const { problem } = problemOf(market);
  const candidates = problem.candidates.map((candidate) => ({ ...candidate, amount: 0n }));
  const { found } = search({ ...problem, candidates }, 'most-available', effort);
  return found !== null && found.availability >= problem.rules.target;
};

/** As `cheapestSet`, without the reasons when there is none. */
export const findCheapest = (market: Market, effort: Effort, hints: Hints = {}): BoughtSet | NothingFound => {
  const { problem, ordered } = problemOf(market, hints);
  if (brokenDiversity({ ...problem.rules, minimumTypes: 0 }, problem.fixed).length > 0) {
    return { ok: false, exhaustive: true };
  }
  const { found: lightest, explored, bound } = search(problem, 'cheapest', effort);
  if (!lightest && bound === null) return { ok: false, exhaustive: true };
  // The effort ended with no set at hand: the most reliable one is found sooner.
  const found = lightest ?? search(problem, 'most-available', effort).found;
  if (!found || found.availability < problem.rules.target) return { ok: false, exhaustive: false };
  const picked = new Set(found.picked.map(({ bidId }) => bidId));
  const members = ordered.filter(({ bidId }) => picked.has(bidId));
  const total = members.reduce((sum, bid) => sum + amountOf(bid), 0n);
  if (hints.limit !== undefined && total >= hints.limit) return { ok: false, exhaustive: false };
  return {
    ok: true,
    members,
    predictedAvailability: found.availability,
    total: toMicro(total),
    bound: bound === null ? null : toMicro(bound),
    explored,
  };
};

/**
 * The set of least prices and surcharges that keeps every rule of the tier and reaches its availability (domain-rules 3.2),
 * the same for any order of the candidates: exact, or the best found with its bound when the effort ends before. Without one, the
 * constraint that failed and the best that could be had.
 */
export const cheapestSet = (market: Market, effort: Effort): BoughtSet | NoSet => {
  const bought = findCheapest(market, effort);
  if (bought.ok) return bought;
  return { ...bought, violations: explain(problemOf(market).problem, effort) };
};
