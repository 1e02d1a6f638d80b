import { isOnProbation } from '../auction/amount.ts';
import type { Solution } from '../auction/critical-value.ts';
import type { OpenedBid, Winner } from '../auction/events.ts';
import { compare, type Micro } from '../money.ts';
import { TIERS, type TierName, TYPE_UNAVAILABILITY } from '../tiers.ts';
import { availability, type TypeUnavailability } from './availability.ts';
import type { Violation } from './events.ts';
import { offeredTypesOf } from './feasibility.ts';
import { payReplacements } from './replacement-price.ts';
import type { Effort } from './search/effort.ts';
import { cheapestSet, hasSet, type Market, solveEffort } from './solve.ts';

export interface ReplaceInput {
  readonly tier: TierName;
  /** Members kept, with what they are paid; neither changes. */
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
  /** Steps that the answer may take; `solveEffort` unless given. */
  readonly effort?: Effort;
}

export interface Replaced {
  readonly ok: true;
  /** Survivors, then the members added. */
  readonly members: readonly Winner[];
  readonly added: readonly Winner[];
  /** The reserve without the members added and the owners barred. */
  readonly reserve: readonly OpenedBid[];
  readonly predictedAvailability: number;
  readonly solution: Solution;
}

export interface NotReplaced {
  readonly ok: false;
  readonly violations: readonly Violation[];
  /** Of the survivors alone. */
  readonly predictedAvailability: number;
}

/**
 * Completes a quorum that lost members, or adds one to it: an exact re-solve over the reserve with the survivors fixed
 * (settled 18). Each member added is paid its critical value in the market as it was at the award, without the owners
 * lost (settled 38, `payReplacements`). Risk counts as it did there: by the surcharges of then, and of bids without one
 * newcomers are taken only where nobody else completes the set.
 */
export const replaceMember = (input: ReplaceInput): Replaced | NotReplaced => {
  const { tier, survivors, barredOwners, ceiling, seed, typeUnavailability = TYPE_UNAVAILABILITY } = input;
  const { winners, requiredUp } = TIERS[tier];
  const size = survivors.length + (input.add ?? Math.max(0, winners - survivors.length));
  const open = input.reserve.filter(
    (bid) => !barredOwners.includes(bid.owner) && compare(bid.price, ceiling) <= 0,
  );
  const offeredTypes = offeredTypesOf([...survivors, ...open]);
  const everyone: Market = {
    tier,
    candidates: open,
    fixed: survivors,
    size,
    offeredTypes,
    typeUnavailability,
    seed,
  };
  const established: Market = { ...everyone, candidates: open.filter((bid) => !isOnProbation(bid)) };
  const effort = input.effort ?? solveEffort();
  const market = hasSet(established, effort.part(0.2)) ? established : everyone;
  const bought = cheapestSet(market, effort.part(0.5));
  if (!bought.ok) {
    const predictedAvailability = availability(survivors, requiredUp, typeUnavailability);
    return { ok: false, violations: bought.violations, predictedAvailability };
  }
  const { winners: added, solution } = payReplacements(market, survivors, bought, ceiling, effort);
  const taken = new Set(added.map(({ bidId }) => bidId));
  return {
    ok: true,
    members: [...survivors, ...added],
    added,
    reserve: open.filter(({ bidId }) => !taken.has(bidId)),
    predictedAvailability: bought.predictedAvailability,
    solution,
  };
};
