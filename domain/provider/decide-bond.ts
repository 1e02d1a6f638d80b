import { accept, type Decision } from '../decision.ts';
import { reject } from '../errors.ts';
import { type Micro, units } from '../money.ts';
import { covers, requiredBond, restsFromBond } from './bond.ts';
import { sharesOf, type Wronged } from './decide-stake.ts';
import type { EvidenceReason, ProviderEvent } from './events.ts';
import type { Provider } from './fold.ts';
import { type Evidence, LONGEST_BAR_DAYS } from './opinion.ts';
import { isBarred } from './risk.ts';

export interface PostBond {
  readonly amount: Micro;
  /** TOPS of one H200, by which stakes are counted as well. */
  readonly tRef: number;
}

/** Posts a bond of `amount`: for a barred provider, one at a time, and none within 30 days of one that was used up. */
export const postBond = (
  provider: Provider,
  { amount, tRef }: PostBond,
  at: string,
): Decision<ProviderEvent> => {
  if (provider.bond) return reject('CONFLICT', 'a bond is posted already');
  if (!isBarred(provider.evidence, at)) {
    return reject('CONFLICT', 'the provider is not barred: it may bid without a bond', [
      { field: 'provider_id', rule: 'a provider whose record is worse than none' },
    ]);
  }
  if (restsFromBond(provider, at)) {
    const rule = `not within ${LONGEST_BAR_DAYS} days of ${provider.bondEndedAt}, when the last one ended`;
    return reject('CONFLICT', `no bond may be posted yet: ${rule}`, [{ field: 'provider_id', rule }]);
  }
  const least = requiredBond(provider.tops, provider, tRef);
  if (units(amount) < units(least)) {
    return reject('INVALID_REQUEST', `a bond for this provider is at least ${least}`, [
      { field: 'amount', rule: `at least ${least} micro-units` },
    ]);
  }
  return accept({ type: 'provider.bond-posted', amount, at });
};

export interface TakeChance {
  readonly auctionId: string;
  /** What the submitter holds for the order. */
  readonly escrow: Micro;
  /** The auction whose outcome is known to be over for the provider; null where none is. */
  readonly over: string | null;
}

/**
 * Has the bond stand behind what the provider is about to win. It stands behind one order at a time, and none larger than
 * itself: however many it has bid for, a fault costs others no more than the bond. Changes nothing where no bond is needed.
 */
export const takeChance = (
  { bond, evidence }: Provider,
  { auctionId, escrow, over }: TakeChance,
  at: string,
): Decision<ProviderEvent> => {
  if (!bond || bond.chance === auctionId || !isBarred(evidence, at)) return accept();
  if (bond.chance !== null && bond.chance !== over)
    return reject('CONFLICT', `the bond stands behind ${bond.chance}`);
  if (!covers(bond, escrow))
    return reject('INSUFFICIENT_BALANCE', `the bond of ${bond.amount} does not cover ${escrow}`);
  return accept({ type: 'provider.chance-taken', auctionId, at });
};

/** Gives the bond back to who asks for it, once nothing is under way that it stands behind. */
export const withdrawBond = (
  { bond }: Provider,
  over: string | null,
  at: string,
): Decision<ProviderEvent> => {
  if (!bond) return reject('CONFLICT', 'no bond is posted');
  if (bond.chance !== null && bond.chance !== over) {
    return reject('CONFLICT', `the bond stands behind ${bond.chance}`, [
      { field: 'provider_id', rule: 'nothing won under the bond is under way' },
    ]);
  }
  return accept({ type: 'provider.bond-returned', amount: bond.amount, because: 'withdrawn', at });
};

export interface NewEvidence {
  readonly evidenceId: string;
  readonly reason: EvidenceReason;
  /** Where the work was won. */
  readonly auctionId?: string | undefined;
  readonly wronged?: Wronged | undefined;
}

/**
 * How an item of evidence ends the bond, if it does: a fault in what was won under it takes it, and a record that speaks
 * for itself again gives it back. One delivery alone does not: it would buy the next fault. `after` is all evidence.
 */
export const endBond = (
  { bond }: Provider,
  { evidenceId, reason, auctionId, wronged }: NewEvidence,
  after: Evidence,
  at: string,
): readonly ProviderEvent[] => {
  if (!bond) return [];
  const { amount } = bond;
  if (reason === 'completed') {
    return isBarred(after, at) ? [] : [{ type: 'provider.bond-returned', amount, because: 'delivered', at }];
  }
  // What was won before has had its consequence then (settled 40).
  if (bond.chance === null || bond.chance !== auctionId) return [];
  const shares = wronged ? sharesOf(amount, wronged) : [];
  return [{ type: 'provider.bond-forfeited', amount, evidenceId, shares, at }];
};
