import { type Micro, toMicro, units } from '../money.ts';
import { FULL, type RiskEvidence, standingOf } from '../provider/risk.ts';
import { drawFrom } from './tie-break.ts';

/** Ceilings that a whole standing is worth: who stands at 0 where others stand well counts eight ceilings more. */
const RISK_FACTOR = 16n;

export interface Risk {
  readonly owner: string;
  readonly evidence: RiskEvidence;
}

export interface RiskTerms {
  /** Ceiling per winner. */
  readonly ceiling: Micro;
  readonly winners: number;
  /** Fixed in the opening event. */
  readonly seed: string;
}

/** Standing of the owner who is first behind the number of winners; 0 where there are not so many. */
const rivalOf = (risks: readonly Risk[], standings: readonly number[], winners: number): number => {
  const best = new Map<string, number>();
  for (const [index, { owner }] of risks.entries())
    best.set(owner, Math.max(best.get(owner) ?? 0, standings[index] as number));
  return [...best.values()].toSorted((a, b) => b - a)[winners] ?? 0;
};

/**
 * What each bid's risk adds to its price in the award, in the order of the bids: 16 ceilings × what it stands below the
 * others (`standingOf`). Nobody pays in who is among the best, one more than are bought, so price always decides among
 * rivals, however bad or young a market is; and whoever floods an auction with names looks no better for it.
 *
 * One number drawn from the seed is the luck of all bids: equals stay equal, and price decides between them. It depends on
 * evidence and seed, on no price, so honest bids stay optimal; whoever has the opened bids can compute it again.
 */
export const surchargesOf = (risks: readonly Risk[], { ceiling, winners, seed }: RiskTerms): Micro[] => {
  const luck = drawFrom(seed, 'risk');
  const standings = risks.map(({ evidence }) => standingOf(evidence, luck));
  const rival = rivalOf(risks, standings, winners);
  return standings.map((standing) => {
    const below = BigInt(Math.max(0, rival - standing));
    return toMicro((RISK_FACTOR * units(ceiling) * below) / BigInt(FULL));
  });
};
