import type { Violation } from './events.ts';
import { brokenDiversity, type SetMember, type SetRules } from './feasibility.ts';
import type { Effort } from './search/effort.ts';
import type { Candidate, Problem } from './search/problem.ts';
import { search } from './search/search.ts';

const idsOf = (members: readonly SetMember[]): string[] => members.map(({ id }) => id);

const sharing = (members: readonly SetMember[], key: (member: SetMember) => string | number): SetMember[] =>
  [...Map.groupBy(members, key).values()].filter((group) => group.length > 1).flat();

/** Rules that no choice from `pool` can keep even alone, with the most that the pool offers. */
const scarcities = (rules: SetRules, pool: readonly SetMember[]): Violation[] => {
  const { size, maxPerType } = rules;
  const byType = [...Map.groupBy(pool, ({ infrastructureType }) => infrastructureType).values()];
  const facts: Violation[] = [];
  const scarce = (
    rule: Violation['rule'],
    have: number,
    need: number,
    members: readonly SetMember[],
    more: string,
  ) => {
    if (have < need)
      facts.push({ rule, have, need, members: idsOf(members), recommendation: `add ${need - have} ${more}` });
  };
  const distinct = (rule: Violation['rule'], key: (member: SetMember) => string | number, more: string) =>
    scarce(rule, new Set(pool.map(key)).size, size, sharing(pool, key), more);

  scarce('member-count', pool.length, size, pool, 'more candidates');
  distinct('distinct-owner', ({ owner }) => owner, 'candidates of other owners');
  if (rules.distinctAsn) distinct('distinct-asn', ({ asn }) => asn, 'candidates in other autonomous systems');
  if (rules.distinctRegion)
    distinct('distinct-region', ({ region }) => region, 'candidates in other regions');
  if (maxPerType !== null) {
    const usable = byType.reduce((sum, group) => sum + Math.min(maxPerType, group.length), 0);
    const crowded = byType.filter((group) => group.length > maxPerType).flat();
    scarce(
      'max-per-type',
      usable,
      size,
      crowded,
      `candidates of other infrastructure types (at most ${maxPerType} of one type count)`,
    );
  }
  scarce(
    'minimum-types',
    byType.length,
    rules.minimumTypes,
    pool,
    'candidates of other infrastructure types',
  );
  return facts;
};

const RELAXATIONS: readonly (readonly [Violation['rule'], Partial<SetRules>])[] = [
  ['max-per-type', { maxPerType: null }],
  ['distinct-asn', { distinctAsn: false }],
  ['distinct-region', { distinctRegion: false }],
  ['minimum-types', { minimumTypes: 0 }],
];

/** Each rule could be kept alone, all of them together cannot: the rules whose removal alone would help. */
const entangled = <C extends Candidate>(problem: Problem<C>, effort: Effort): Violation[] => {
  const { rules, fixed } = problem;
  const solvable = (change: Partial<SetRules>): boolean =>
    search({ ...problem, rules: { ...rules, target: 0, ...change } }, 'most-available', effort).found !==
    null;
  let have = rules.size - 1;
  while (have > fixed.length && !solvable({ size: have, minimumTypes: 0 })) have--;
  const fact = (rule: Violation['rule']): Violation => ({
    rule,
    have,
    need: rules.size,
    members: [],
    recommendation: `the largest set that keeps every diversity rule at once has ${have} members; add candidates that differ in type, network and region`,
  });
  const culprits = RELAXATIONS.filter(([, change]) => solvable(change)).map(([rule]) => fact(rule));
  return culprits.length > 0 ? culprits : [fact('member-count')];
};

/**
 * Why a problem has no solution, as facts with the best that could be had: the members kept that break a rule among
 * themselves; else every rule that fails alone; else the rules that fail together; else the best availability there is.
 */
export const explain = <C extends Candidate>(problem: Problem<C>, effort: Effort): readonly Violation[] => {
  const { rules, fixed, candidates } = problem;
  const broken = brokenDiversity({ ...rules, minimumTypes: 0 }, fixed);
  if (broken.length > 0) return broken;
  const facts = scarcities(rules, [...fixed, ...candidates]);
  if (facts.length > 0) return facts;
  const { found } = search(problem, 'most-available', effort);
  if (!found) return entangled(problem, effort);
  return [
    {
      rule: 'availability',
      have: found.availability,
      need: rules.target,
      members: idsOf([...fixed, ...found.picked]),
      recommendation: 'add more reliable candidates, or candidates of other infrastructure types',
    },
  ];
};
