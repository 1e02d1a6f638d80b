import { TYPE_UNAVAILABILITY } from '../tiers.ts';
import { award } from './award.ts';
import type { AuctionAwarded, AuctionOpened, BidsOpened, Winner } from './events.ts';
import { surchargesOf } from './surcharge.ts';

export interface LoggedAward {
  readonly opened: Pick<AuctionOpened, 'tier' | 'ceiling' | 'winners' | 'seed' | 'rule'>;
  readonly opening: Pick<BidsOpened, 'bids' | 'risks'>;
  readonly awarded: Pick<AuctionAwarded, 'winners' | 'total'>;
}

const paidTo = (winners: readonly Winner[]): string =>
  winners.map(({ bidId, payment }) => `${bidId} for ${payment}`).join(', ');

/**
 * What of an award does not follow from what the log holds beside it: the surcharges from evidence and seed, winners and
 * payments from the bids. For auctions under rule `risk-priced`; what older ones follow from is not all logged.
 */
export const awardFaults = ({ opened, opening, awarded }: LoggedAward): string[] => {
  if (opened.rule !== 'risk-priced') return [];
  const { tier, ceiling, winners, seed } = opened;
  const { bids, risks = [] } = opening;
  const evidence = new Map(risks.map(({ bidId, positive, negative }) => [bidId, { positive, negative }]));
  const known = bids.flatMap(({ bidId, owner }) => {
    const found = evidence.get(bidId);
    return found ? [{ owner, evidence: found }] : [];
  });
  if (known.length !== bids.length) return ['bids were opened without the evidence that prices their risk'];
  const surcharges = surchargesOf(known, { ceiling, winners, seed });
  const faults = bids.flatMap(({ bidId, surcharge }, index) =>
    surcharge === surcharges[index]
      ? []
      : [`the surcharge of ${bidId} is ${surcharge}, by its evidence ${surcharges[index]}`],
  );
  const again = award({ tier, ceiling, bids, typeUnavailability: TYPE_UNAVAILABILITY, seed });
  if (!again.ok) return [...faults, `it was awarded, by its bids there is no award: ${again.code}`];
  const [logged, due] = [paidTo(awarded.winners), paidTo(again.winners)];
  if (logged !== due) faults.push(`it was awarded to ${logged}, by its bids to ${due}`);
  if (awarded.total !== again.total)
    faults.push(`its total is ${awarded.total}, of its payments ${again.total}`);
  return faults;
};
