import { isOnProbation } from '../auction/amount.ts';
import type { Solution } from '../auction/critical-value.ts';
import type { OpenedBid, Winner } from '../auction/events.ts';
import { compare, type Micro } from '../money.ts';
import { TIERS, type TierName, TYPE_UNAVAILABILITY } from '../tiers.ts';
import { availability, type TypeUnavailability } from './availability.ts';
import type { Violation } from './events.ts';
import { offeredTypesOf } from './feasibility.ts';
import { higher, highestBeside, lower, raised, worthOf } from './replacement-price.ts';
import type { Effort } from './search/effort.ts';
import { cheapestSet, hasSet, type Market, solveEffort } from './solve.ts';

export interface ReplaceInput {
  readonly tier: TierName;
  /** Members kept, with what they are paid. */
  readonly survivors: readonly Winner[];
  /** Opened bids that were not bought. */
  readonly reserve: readonly OpenedBid[];
  /** Owners lost in this or an earlier epoch. */
  readonly barredOwners: readonly string[];
  readonly ceiling: Micro;
  readonly seed: string;
  readonly typeUnavailability?: TypeUnavailability;
  /** Members to add; as many as the tier's number lacks unless given. */
  readonly add?: number;
  /** Version of the quorum's machine. In version 1 no survivor was paid more, and a replacement up to the ceiling. */
  readonly quorumVersion?: number;
  /** Steps that the answer may take; `solveEffort` unless given. */
  readonly effort?: Effort;
}

export interface Replaced {
  readonly ok: true;
  /** Survivors, with what they are paid now, then the members added. */
  readonly members: readonly Winner[];
  readonly added: readonly Winner[];
  /** The reserve without the members added and the owners barred. */
  readonly reserve: readonly OpenedBid[];
  readonly predictedAvailability: number;
  readonly solution: Solution;
}

export interface NotReplaced {
  readonly ok: false;
  /** The survivors, with what they are paid now. */
  readonly members: readonly Winner[];
  readonly violations: readonly Violation[];
  /** Of the survivors alone. */
  readonly predictedAvailability: number;
}

const withinPrice = (bids: readonly OpenedBid[], highest: Micro): readonly OpenedBid[] =>
  bids.filter(({ price }) => compare(price, highest) <= 0);

/**
 * Completes a quorum that lost members, or adds one to it: an exact re-solve over the reserve with the survivors fixed
 * (settled 18). Each member added is paid its critical value in the market as it was at the award, without the owners
 * lost (settled 38, `worthOf`). Risk counts as it did there: by the surcharges of then, and of bids without one newcomers
 * are taken only where nobody else completes the set.
 *
 * That is bounded by `highestBeside`, and nobody dearer is asked, as long as those who stay can do the job alone or somebody
 * within the bound completes the set: else whoever brings losses about would make the others as dear as the ceiling. A loss
 * also raises the payments of those who stay to what the rule gives them in that market, by a tenth of the ceiling at
 * most. So a member that stayed and one that lost on purpose, to take the lost one's place, are paid much the same:
 * losing on purpose gains little but the chance that the very member is lost which was bought instead.
 */
export const replaceMember = (input: ReplaceInput): Replaced | NotReplaced => {
  const { tier, survivors, barredOwners, ceiling, seed, typeUnavailability = TYPE_UNAVAILABILITY } = input;
  const { winners, requiredUp } = TIERS[tier];
  const isOfOld = input.quorumVersion === 1;
  const size = survivors.length + (input.add ?? Math.max(0, winners - survivors.length));
  const open = withinPrice(input.reserve, ceiling).filter(({ owner }) => !barredOwners.includes(owner));
  // Nobody can decide between two results, or do the job, without one more.
  const isNeeded = size > winners || survivors.length < requiredUp;
  const terms: Omit<Market, 'candidates'> = {
    tier,
    size,
    offeredTypes: offeredTypesOf([...survivors, ...open]),
    typeUnavailability,
    seed,
  };
  const effort = input.effort ?? solveEffort();
  const buy = (asked: readonly OpenedBid[], share: Effort) => {
    const everyone: Market = { ...terms, fixed: survivors, candidates: asked };
    const established: Market = { ...everyone, candidates: asked.filter((bid) => !isOnProbation(bid)) };
    const isEstablished = hasSet(established, share.part(0.3));
    return { isEstablished, bought: cheapestSet(isEstablished ? established : everyone, share) };
  };
  const bounded = isOfOld
    ? null
    : buy(withinPrice(open, highestBeside(survivors, ceiling)), effort.part(0.4));
  const isBounded = bounded !== null && (bounded.bought.ok || !isNeeded);
  const { isEstablished, bought } = isBounded ? bounded : buy(open, effort.part(0.6));
  const rivals = isEstablished ? open.filter((bid) => !isOnProbation(bid)) : open;
  const everybody: Market = { ...terms, candidates: [...survivors, ...rivals] };
  const set = bought.ok ? [...survivors, ...bought.members] : null;

  let exact = bought.ok && bought.bound === null;
  const worth = (bid: OpenedBid, share: Effort) => {
    const within = set?.filter(({ bidId }) => bidId !== bid.bidId) ?? null;
    const found = worthOf(everybody, bid, within, ceiling, share);
    if (!found.exact) exact = false;
    return found;
  };
  const added = bought.ok ? bought.members : [];
  const paidAnew = isOfOld || barredOwners.length === 0 ? [] : survivors;
  const left = (index: number): Effort => effort.part(1 / (added.length + paidAnew.length - index));
  const paid = added.map((bid, index): Winner => {
    const { critical, beside } = worth(bid, left(index));
    const highest = isBounded ? highestBeside(beside, ceiling) : ceiling;
    return { ...bid, payment: higher(bid.price, lower(critical ?? ceiling, highest)) };
  });
  const kept = survivors.map((member, index): Winner => {
    const { payment } = member;
    const critical = paidAnew.length > 0 ? worth(member, left(added.length + index)).critical : null;
    return { ...member, payment: higher(payment, lower(critical ?? payment, raised(payment, ceiling))) };
  });
  if (!bought.ok) {
    const predictedAvailability = availability(survivors, requiredUp, typeUnavailability);
    return { ok: false, members: kept, violations: bought.violations, predictedAvailability };
  }
  const taken = new Set(paid.map(({ bidId }) => bidId));
  return {
    ok: true,
    members: [...kept, ...paid],
    added: paid,
    reserve: open.filter(({ bidId }) => !taken.has(bidId)),
    predictedAvailability: bought.predictedAvailability,
    solution: exact ? { method: 'exact' } : { method: 'best-found', atLeast: bought.bound ?? bought.total },
  };
};
