import { describe, expect, test } from 'vitest';
import { toMicro } from '../money.ts';
import { cheapestSet, type Market, solveEffort } from '../quorum/solve.ts';
import { purchase } from './critical-value.ts';
import { bidOf, generator } from './market.fixture.ts';

const CEILING = 1_000_000;

/** Mean payment per winner, as a share of the ceiling, of n bidders with uniform costs and no diversity rule. */
const meanPayment = (bidders: number, winners: number, auctions: number): number => {
  const random = generator(bidders * 100 + winners);
  let sum = 0;
  for (let auction = 0; auction < auctions; auction++) {
    const candidates = Array.from({ length: bidders }, (_, index) =>
      bidOf(index, Math.floor(random() * CEILING)),
    );
    const market: Market = {
      tier: 'bronze',
      size: winners,
      candidates,
      typeUnavailability: {},
      seed: `${auction}`,
    };
    const effort = solveEffort();
    const bought = cheapestSet(market, effort);
    if (!bought.ok) throw new Error('an unconstrained market always has a set');
    const { winners: paid } = purchase(market, bought, toMicro(BigInt(CEILING)), effort);
    sum += paid.reduce((total, { payment }) => total + Number(payment), 0) / winners;
  }
  return sum / auctions / CEILING;
};

describe('auction.revenue.sim', () => {
  test.each([
    [3, 1, 0.5],
    [5, 1, 0.333],
    [10, 1, 0.182],
    [5, 2, 0.5],
    [8, 3, 0.444],
    [10, 5, 0.545],
  ])(
    '%d bidders, %d winners: the mean payment is %d of the ceiling, within 1 percent',
    (bidders, winners, mean) => {
      const auctions = winners === 1 ? 10_000 : 3000;
      expect(Math.abs(meanPayment(bidders, winners, auctions) / mean - 1)).toBeLessThan(0.01);
    },
  );
});
