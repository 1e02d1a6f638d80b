import { expect, test } from 'vitest';
import { generator, marketOf } from '../../auction/market.fixture.ts';
import { units } from '../../money.ts';
import { type InfrastructureType, TIER_NAMES, TIERS, TYPE_UNAVAILABILITY } from '../../tiers.ts';
import { brokenDiversity, memberOf, offeredTypesOf, rulesFor } from '../feasibility.ts';
import { chanceOf } from './chance.ts';
import { cheapest } from './cheapest.ts';
import { effortOf } from './effort.ts';
import { everySet, hasFewSets } from './every-set.ts';
import { poolOf } from './pool.ts';
import type { Candidate, Problem, SearchResult } from './problem.ts';
import { type Shape, shapesOf } from './shape.ts';

const STEPS = 10_000_000;

/** What branch and bound answers. */
const bounded = (problem: Problem<Candidate>, members: number): SearchResult<Candidate> => {
  const { rules, fixed, candidates, typeUnavailability } = problem;
  const pool = poolOf(rules, fixed, candidates, members);
  const boxOf = ({ slots }: Shape) => ({
    slots,
    chance: chanceOf(slots, fixed, rules.requiredUp, typeUnavailability),
    domains: slots.map((type: InfrastructureType) => pool.ofType.get(type) as Int32Array),
  });
  return cheapest(problem, pool, shapesOf(rules, fixed, pool, pool.ofType), boxOf, effortOf(STEPS));
};

const idsOf = ({ found }: SearchResult<Candidate>) => found?.picked.map(({ id }) => id).sort() ?? null;

test.each(TIER_NAMES)('%s: every set one by one is the answer of branch and bound', (tier) => {
  const random = generator(77);
  let [sets, none] = [0, 0];
  for (let market = 0; market < 400; market++) {
    const kept = market % 3 === 0 ? Math.min(1, TIERS[tier].winners - 1) : 0;
    const members = TIERS[tier].winners - kept;
    const scale = market % 7 === 0 ? 2n ** 60n : 1n;
    const bids = marketOf(random, {
      bids: members + kept + Math.floor(random() * 4),
      asns: market % 2 === 0 ? 5 : 30,
      regions: market % 2 === 0 ? 5 : 30,
      unavailability: market % 5 === 0 ? [0.001, 0.2] : [0.001, 0.03],
      highestPrice: market % 4 === 0 ? 4 : 1_000_000,
    });
    const [fixed, offered] = [bids.slice(0, kept).map(memberOf), bids.slice(kept)];
    const problem: Problem<Candidate> = {
      rules: rulesFor({ tier, offeredTypes: offeredTypesOf(bids) }),
      fixed,
      candidates: offered.map((bid) => ({
        ...memberOf(bid),
        amount: units(bid.price) * scale,
        lot: random(),
      })),
      typeUnavailability: TYPE_UNAVAILABILITY,
      ...(market % 6 === 0 && { limit: 1_500_000n * scale }),
    };
    if (brokenDiversity({ ...problem.rules, minimumTypes: 0 }, fixed).length > 0) continue;
    const pool = poolOf(problem.rules, fixed, problem.candidates, members);
    if (!hasFewSets(pool.candidates.length, members)) continue;
    const answer = everySet(problem, pool, members, effortOf(STEPS));
    const known = bounded(problem, members);
    expect(answer.bound).toBeNull();
    // Where prices leave no room for lots, several sets of one price may be found.
    const totalOf = ({ found }: SearchResult<Candidate>) =>
      found?.picked.reduce((sum, { amount }) => sum + amount, 0n) ?? null;
    expect(totalOf(answer)).toBe(totalOf(known));
    if (pool.scale.exact) expect(idsOf(answer)).toEqual(idsOf(known));
    if (pool.scale.exact && known.found)
      expect(answer.found?.availability).toBeCloseTo(known.found.availability, 12);
    if (known.found) sets++;
    else none++;
  }
  expect(sets).toBeGreaterThan(20);
  expect(none).toBeGreaterThan(0);
});

test('few sets are at most 64', () => {
  const few: [candidates: number, members: number][] = [
    [0, 3],
    [5, 3],
    [8, 3],
    [8, 5],
    [11, 2],
    [64, 1],
  ];
  for (const [candidates, members] of few) expect(hasFewSets(candidates, members)).toBe(true);
  const many: [candidates: number, members: number][] = [
    [9, 3],
    [9, 5],
    [12, 2],
    [65, 1],
    [1000, 5],
  ];
  for (const [candidates, members] of many) expect(hasFewSets(candidates, members)).toBe(false);
});
