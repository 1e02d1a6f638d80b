import { add, compare, type Micro } from '../money.ts';
import type { TypeUnavailability } from '../quorum/availability.ts';
import type { Violation } from '../quorum/events.ts';
import { offeredTypesOf } from '../quorum/feasibility.ts';
import type { Effort } from '../quorum/search/effort.ts';
import { cheapestSet, hasSet, type Market, solveEffort } from '../quorum/solve.ts';
import { PROBATION_SHARE, TIERS, type TierName } from '../tiers.ts';
import { isOnProbation } from './amount.ts';
import { purchase, type Solution } from './critical-value.ts';
import type { BidVerdict, OpenedBid, Winner } from './events.ts';
import { drawFrom, drawLots } from './tie-break.ts';

export interface AwardInput {
  readonly tier: TierName;
  /** Ceiling per winner. */
  readonly ceiling: Micro;
  readonly bids: readonly OpenedBid[];
  readonly typeUnavailability: TypeUnavailability;
  /** Fixed in the opening event. */
  readonly seed: string;
  /** Share of auctions in which newcomers compete although a set without them is feasible, 0..1. */
  readonly newcomerShare?: number;
  /** Steps that the award may take; `solveEffort` unless given. */
  readonly effort?: Effort;
}

export interface Award {
  readonly ok: true;
  /** By bid id. */
  readonly winners: readonly Winner[];
  /** One for every bid, by bid id. */
  readonly verdicts: readonly BidVerdict[];
  /** Sum of the payments. */
  readonly total: Micro;
  readonly predictedAvailability: number;
  readonly solution: Solution;
}

export interface NoAward {
  readonly ok: false;
  readonly code: 'AUCTION_NOT_ENOUGH_BIDS' | 'QUORUM_NOT_ACHIEVED';
  readonly message: string;
  readonly violations: readonly Violation[];
  readonly verdicts: readonly BidVerdict[];
}

const byBidId = <B extends { readonly bidId: string }>(items: readonly B[]): B[] =>
  items.toSorted((a, b) => (a.bidId < b.bidId ? -1 : 1));

/** The question whether the others need newcomers gets this share of the steps, the set half of what it leaves. */
const NEWCOMER_SHARE_OF_EFFORT = 0.2;
const SET_SHARE_OF_EFFORT = 0.5;

const ownersOf = (bids: readonly OpenedBid[]): number => new Set(bids.map(({ owner }) => owner)).size;

const isValid = (bid: OpenedBid, ceiling: Micro): boolean =>
  compare(bid.price, ceiling) <= 0 && !bid.price.startsWith('-');

/**
 * Newcomers whom no surcharge prices compete in a drawn share of the auctions, and wherever the others alone make no award:
 * too few owners or no feasible set (settled 16). Neither the draw nor feasibility looks at a price, so the rule leaves honest bids optimal.
 */
const competing = (market: Market, newcomerShare: number, effort: Effort): readonly OpenedBid[] => {
  const established = market.candidates.filter((bid) => !isOnProbation(bid));
  if (established.length === market.candidates.length) return established;
  if (drawFrom(market.seed, 'newcomers') < newcomerShare) return market.candidates;
  if (ownersOf(established) < TIERS[market.tier].minimumOwners) return market.candidates;
  return hasSet({ ...market, candidates: established }, effort.part(NEWCOMER_SHARE_OF_EFFORT))
    ? established
    : market.candidates;
};

/**
 * Closes a sealed reverse auction: the winners are the set of least prices and surcharges that meets the tier's diversity and
 * availability, each is paid its critical value within the ceiling (D3), and every bid gets exactly one terminal state. The result
 * depends on the bids as a set and on the seed, not on the order of arrival. A market too hard for the effort gets the
 * best found, labelled so (`purchase`).
 */
export const award = (input: AwardInput): Award | NoAward => {
  const { tier, ceiling, typeUnavailability, seed, newcomerShare = PROBATION_SHARE } = input;
  const effort = input.effort ?? solveEffort();
  const bids = byBidId(input.bids);
  const valid = bids.filter((bid) => isValid(bid, ceiling));
  const everyone: Market = {
    tier,
    candidates: valid,
    offeredTypes: offeredTypesOf(valid),
    typeUnavailability,
    seed,
    lots: drawLots(seed, valid),
  };
  const candidates = competing(everyone, newcomerShare, effort);
  const market: Market = { ...everyone, candidates };
  const verdict = (
    bid: OpenedBid,
    won: ReadonlySet<string>,
    otherwise: Omit<BidVerdict, 'bidId'>,
  ): BidVerdict => {
    const { bidId } = bid;
    if (!isValid(bid, ceiling)) return { bidId, state: 'rejected', reason: 'price outside 0..ceiling' };
    if (won.has(bidId)) return { bidId, state: 'won', reason: 'in the cheapest feasible set' };
    if (!candidates.includes(bid))
      return { bidId, state: 'lost', reason: 'probation share: a set without newcomers is feasible' };
    return { bidId, ...otherwise };
  };
  const verdicts = (won: ReadonlySet<string>, otherwise: Omit<BidVerdict, 'bidId'>): BidVerdict[] =>
    bids.map((bid) => verdict(bid, won, otherwise));
  const none = (code: NoAward['code'], message: string, violations: readonly Violation[]): NoAward => ({
    ok: false,
    code,
    message,
    violations,
    verdicts: verdicts(new Set(), { state: 'expired', reason: `no award: ${code}` }),
  });

  const owners = ownersOf(candidates);
  const need = TIERS[tier].minimumOwners;
  if (owners < need) {
    const members = candidates.map(({ providerId }) => providerId);
    return none('AUCTION_NOT_ENOUGH_BIDS', `bids of distinct owners: have ${owners}, need ${need}`, [
      { rule: 'distinct-owner', have: owners, need, members, recommendation: 'wait for bids of more owners' },
    ]);
  }
  const bought = cheapestSet(market, effort.part(SET_SHARE_OF_EFFORT));
  if (!bought.ok) {
    const facts = bought.violations.map(({ rule, have, need }) => `${rule}: have ${have}, need ${need}`);
    return none(
      'QUORUM_NOT_ACHIEVED',
      `no set of bids meets ${tier}: ${facts.join('; ')}`,
      bought.violations,
    );
  }
  const { winners: paid, bought: final, solution } = purchase(market, bought, ceiling, effort);
  const winners = byBidId(paid);
  return {
    ok: true,
    winners,
    verdicts: verdicts(new Set(winners.map(({ bidId }) => bidId)), {
      state: 'lost',
      reason: 'not in the cheapest feasible set',
    }),
    total: add(...winners.map(({ payment }) => payment)),
    predictedAvailability: final.predictedAvailability,
    solution,
  };
};
