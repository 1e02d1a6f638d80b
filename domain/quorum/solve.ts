import type { OpenedBid, Placement } from '../auction/events.ts';
import { inTieOrder } from '../auction/tie-break.ts';
import { add, type Micro, units } from '../money.ts';
import type { TierName } from '../tiers.ts';
import type { TypeUnavailability } from './availability.ts';
import type { Violation } from './events.ts';
import { explain } from './explain.ts';
import { brokenDiversity, memberOf, offeredTypesOf, rulesFor } from './feasibility.ts';
import { type Candidate, type Problem, search } from './search.ts';

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
}

export interface BoughtSet {
  readonly ok: true;
  /** The bids bought, in tie order; without the members kept. */
  readonly members: readonly OpenedBid[];
  /** Of the whole set, members kept included. */
  readonly predictedAvailability: number;
  /** Sum of the prices of `members`. */
  readonly total: Micro;
  /** Search nodes expanded. */
  readonly explored: number;
}

export interface NoSet {
  readonly ok: false;
  readonly violations: readonly Violation[];
}

type BidCandidate = Candidate & OpenedBid;

/**
 * Weight = price, then one bit of its own per bid in tie order: no two sets weigh the same, so the optimum is unique
 * and does not depend on the order in which bids arrived.
 */
const weighted = (bids: readonly OpenedBid[]): BidCandidate[] =>
  bids.map((bid, rank) => ({
    ...memberOf(bid),
    weight: (units(bid.price) << BigInt(bids.length)) | (1n << BigInt(rank)),
  }));

const problemOf = (market: Market): { problem: Problem<BidCandidate>; ordered: readonly OpenedBid[] } => {
  const { tier, candidates, fixed = [], size, barredOwners = [], typeUnavailability, seed } = market;
  const offeredTypes = market.offeredTypes ?? offeredTypesOf([...fixed, ...candidates]);
  const ordered = inTieOrder(
    seed,
    candidates.filter(({ owner }) => !barredOwners.includes(owner)),
  );
  return {
    ordered,
    problem: {
      rules: rulesFor({ tier, offeredTypes, ...(size === undefined ? {} : { size }) }),
      fixed: fixed.map(memberOf),
      candidates: weighted(ordered),
      typeUnavailability,
    },
  };
};

/** As `cheapestSet`, without the reasons when there is none. */
export const findCheapest = (market: Market): BoughtSet | null => {
  const { problem, ordered } = problemOf(market);
  if (brokenDiversity({ ...problem.rules, minimumTypes: 0 }, problem.fixed).length > 0) return null;
  const { found, explored } = search(problem, 'cheapest');
  if (!found) return null;
  const picked = new Set(found.picked.map(({ bidId }) => bidId));
  const members = ordered.filter(({ bidId }) => picked.has(bidId));
  return {
    ok: true,
    members,
    predictedAvailability: found.availability,
    total: add(...members.map(({ price }) => price)),
    explored,
  };
};

/**
 * The cheapest set that keeps every rule of the tier and reaches its availability (domain-rules 3.2): exact, the same
 * for any order of the candidates. Without one, the constraint that failed and the best that could be had.
 */
export const cheapestSet = (market: Market): BoughtSet | NoSet =>
  findCheapest(market) ?? { ok: false, violations: explain(problemOf(market).problem) };
