import { toMicro } from '../money.ts';
import { type TierName, TYPE_UNAVAILABILITY } from '../tiers.ts';
import { award } from './award.ts';
import type { OpenedBid } from './events.ts';
import { generator, marketOf } from './market.fixture.ts';

/** Winner's index → payment. */
export type Outcome = ReadonlyMap<number, number>;

export const outcomeOf = (
  tier: TierName,
  bids: readonly OpenedBid[],
  ceiling: number,
  seed: string,
): Outcome => {
  const ids = bids.map(({ bidId }) => bidId);
  const result = award({
    tier,
    ceiling: toMicro(BigInt(ceiling)),
    bids,
    typeUnavailability: TYPE_UNAVAILABILITY,
    seed,
  });
  return new Map(
    result.ok ? result.winners.map(({ bidId, payment }) => [ids.indexOf(bidId), Number(payment)]) : [],
  );
};

export const gainOf = (outcome: Outcome, bidder: number, cost: number): number => {
  const payment = outcome.get(bidder);
  return payment === undefined ? 0 : payment - cost;
};

/** Random markets, in each of which one bidder lies once; in one of two, risk counts beside prices. */
export const randomDeviations = (profiles: number) => {
  const random = generator(6);
  const ceiling = 1000;
  const gains: number[] = [];
  let [won, changed] = [0, 0];
  for (let profile = 0; profile < profiles; profile++) {
    const tier = (['silver', 'gold', 'platinum'] as const)[profile % 3] ?? 'silver';
    const bids = marketOf(random, {
      bids: 4 + Math.floor(random() * 5),
      asns: 30,
      regions: 30,
      unavailability: [0.001, 0.01],
      highestPrice: profile % 2 === 0 ? 8 : ceiling,
      ...(profile % 4 < 2 ? {} : { highestSurcharge: profile % 4 === 2 ? 8 : 2 * ceiling }),
    });
    const bidder = Math.floor(random() * bids.length);
    const truth = bids[bidder] as OpenedBid;
    const cost = Number(truth.price);
    const lie = toMicro(BigInt(Math.floor(random() * (profile % 2 === 0 ? 9 : ceiling + 1))));
    const honest = outcomeOf(tier, bids, ceiling, `${profile}`);
    const lying = outcomeOf(tier, bids.with(bidder, { ...truth, price: lie }), ceiling, `${profile}`);
    const gain = gainOf(honest, bidder, cost);
    if (gain < 0 || gainOf(lying, bidder, cost) > gain) gains.push(profile);
    if (honest.has(bidder)) won++;
    if (honest.has(bidder) !== lying.has(bidder)) changed++;
  }
  return { gains, won, changed };
};
