import { describe, expect, test } from 'vitest';
import { toMicro } from '../money.ts';
import { bidOf, setsOf } from './market.fixture.ts';
import { gainOf, type Outcome, outcomeOf, randomDeviations } from './truthful.fixture.ts';

type Rule = (bids: readonly number[]) => Outcome;

const HIGHEST = 6;
const TYPES = ['cloud_aws', 'cloud_aws', 'edge_devices', 'cloud_gcp'] as const;
const COSTS = [1, 2, 3, 4, 5, 6];
const PROFILES = COSTS.flatMap((a) =>
  COSTS.flatMap((b) => COSTS.flatMap((c) => COSTS.map((d) => [a, b, c, d]))),
);

/** Two winners of different types at least cost, ties by index. */
const cheapestPair = (bids: readonly number[]): number[] => {
  const total = (pair: readonly number[]): number => pair.reduce((sum, index) => sum + (bids[index] ?? 0), 0);
  const pairs = [...setsOf([0, 1, 2, 3], 2)].filter(([i = 0, j = 0]) => TYPES[i] !== TYPES[j]);
  return pairs.reduce((best, pair) => (total(pair) < total(best) ? pair : best));
};

const payAsBid: Rule = (bids) => new Map(cheapestPair(bids).map((index) => [index, bids[index] ?? 0]));

const uniform: Rule = (bids) => {
  const winners = cheapestPair(bids);
  const lowestLosing = Math.min(...bids.filter((_, index) => !winners.includes(index)));
  const highestWinning = Math.max(...winners.map((index) => bids[index] ?? 0));
  return new Map(winners.map((index) => [index, Math.max(lowestLosing, highestWinning)]));
};

const ours: Rule = (bids) =>
  outcomeOf(
    'silver',
    bids.map((price, index) => bidOf(index, price, { infrastructureType: TYPES[index] ?? 'cloud_aws' })),
    HIGHEST,
    'grid',
  );

/** The same with what each bidder's risk adds. */
const risky =
  (surcharges: readonly number[]): Rule =>
  (bids) =>
    outcomeOf(
      'silver',
      bids.map((price, index) =>
        bidOf(index, price, {
          infrastructureType: TYPES[index] ?? 'cloud_aws',
          surcharge: toMicro(BigInt(surcharges[index] ?? 0)),
        }),
      ),
      HIGHEST,
      'grid',
    );

/** Over the whole grid: profiles in which somebody gains by a lie, and outcomes in which a winner loses money. */
const study = (rule: Rule): { lies: number; losses: number } => {
  const outcomes = new Map(PROFILES.map((profile) => [profile.join(), rule(profile)]));
  const at = (profile: readonly number[]): Outcome => outcomes.get(profile.join()) ?? new Map();
  const gain = (bids: readonly number[], bidder: number, cost: number): number =>
    gainOf(at(bids), bidder, cost);
  const hasLie = (costs: readonly number[]): boolean =>
    costs.some((cost, bidder) =>
      COSTS.some((lie) => gain(costs.with(bidder, lie), bidder, cost) > gain(costs, bidder, cost)),
    );
  return {
    lies: PROFILES.filter(hasLie).length,
    losses: PROFILES.filter((costs) => costs.some((cost, bidder) => gain(costs, bidder, cost) < 0)).length,
  };
};

describe('auction.truthful.property', () => {
  test('1,296-profile grid: no profitable lie and no loss under critical values', () => {
    expect(PROFILES).toHaveLength(1296);
    expect(study(ours)).toEqual({ lies: 0, losses: 0 });
  });

  test.each([
    [0, 0, 0, 0],
    [1, 0, 0, 0],
    [0, 3, 2, 0],
    [2, 0, 5, 1],
    [40, 9, 0, 3],
  ])('the same grid: none with surcharges of %d, %d, %d and %d', (...surcharges) => {
    expect(study(risky(surcharges))).toEqual({ lies: 0, losses: 0 });
  });

  test('the same grid finds the lies that other rules leave: 385 uniform, 1,150 pay-as-bid', () => {
    expect(study(uniform).lies).toBe(385);
    expect(study(payAsBid).lies).toBe(1150);
  });

  test('10,000 random profiles with diversity caps: no single deviation gains', () => {
    const { gains, won, changed } = randomDeviations(10_000);
    expect(gains).toEqual([]);
    // The lies must have mattered, or the test shows nothing.
    expect(won).toBeGreaterThan(2000);
    expect(changed).toBeGreaterThan(500);
  }, 60_000);
});
