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
  'all prices equal': marketLike({ highestPrice: 1 }),
  'prices beyond 2^53': (bids, number) =>
    marketLike({ premium: 1 })(bids, number).map((bid) => ({
      ...bid,
      price: `${bid.price}${'7'.repeat(18)}` as OpenedBid['price'],
    })),
};
