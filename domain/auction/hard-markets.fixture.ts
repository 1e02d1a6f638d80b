import { toMicro } from '../money.ts';
import type { OpenedBid } from './events.ts';
import { generator, type MarketShape, marketOf } from './market.fixture.ts';

/** Markets that are hard to solve exactly, each for a reason of its own; repeatable from their number. */
export type HardMarket = (bids: number, number: number) => OpenedBid[];

/** Reliability costs its price: nobody is better than anybody else. */
const correlated: MarketShape = {
  bids: 0,
  asns: 1000,
  regions: 1000,
  unavailability: [0.001, 0.2],
  highestPrice: 1_000_000,
  premium: 0.9,
};

/**
 * Beyond the steps of an award at a thousand bids: the price is the square of the reliability to nine digits, so that
 * the best sets cost all but the same, and few regions and networks forbid most of them.
 */
export const beyondExact: HardMarket = (bids, number) => {
  const [best, worst] = [0.0001, 0.05];
  return marketOf(generator(number), {
    ...correlated,
    bids,
    asns: 50,
    regions: 6,
    unavailability: [best, worst],
  }).map((bid) => {
    const quality = (worst - bid.unavailability) / (worst - best);
    return { ...bid, price: toMicro(BigInt(1 + Math.floor(quality * quality * 1e9))) };
  });
};

const marketLike =
  (change: Partial<MarketShape>): HardMarket =>
  (bids, number) =>
    marketOf(generator(number), { ...correlated, ...change, bids });

export const HARD_MARKETS: Readonly<Record<string, HardMarket>> = {
  'price follows reliability': marketLike({}),
  'price is reliability': marketLike({ premium: 1 }),
  // Platinum wants five: bounds that look at no region see nothing wrong.
  'four regions': marketLike({ regions: 4 }),
  'five regions': marketLike({ regions: 5 }),
  'six networks and six regions': marketLike({ asns: 6, regions: 6 }),
  'eight networks and eight regions': marketLike({ asns: 8, regions: 8 }),
  // Bounds that look at no region count on five members of it.
  'one reliable region': (bids, number) =>
    marketLike({ regions: 30 })(bids, number).map((bid) =>
      bid.unavailability < 0.06 ? { ...bid, region: 'reliable' } : bid,
    ),
  // The same with a set: one member from there, the others from what is left.
  'one region more reliable': (bids, number) =>
    marketLike({ regions: 30 })(bids, number).map((bid) =>
      bid.unavailability < 0.02 ? { ...bid, region: 'reliable' } : bid,
    ),
  'all prices equal': marketLike({ highestPrice: 1 }),
  'prices beyond 2^53': (bids, number) =>
    marketLike({ premium: 1 })(bids, number).map((bid) => ({
      ...bid,
      price: `${bid.price}${'7'.repeat(18)}` as OpenedBid['price'],
    })),
};
