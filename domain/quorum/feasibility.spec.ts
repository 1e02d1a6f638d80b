import { describe, expect, test } from 'vitest';
import { INFRASTRUCTURE_TYPES, TIER_NAMES, TIERS, TYPE_UNAVAILABILITY } from '../tiers.ts';
import { checkSet, rulesFor, type SetMember } from './feasibility.ts';

const member = (index: number, change: Partial<SetMember> = {}): SetMember => ({
  id: `m${index}`,
  owner: `owner-${index}`,
  infrastructureType: INFRASTRUCTURE_TYPES[index % 6] ?? 'cloud_aws',
  asn: 64_512 + index,
  region: `region-${index}`,
  unavailability: 0.001,
  ...change,
});

const members = (count: number, change: Partial<SetMember> = {}): SetMember[] =>
  Array.from({ length: count }, (_, index) => member(index, change));

const check = (tier: (typeof TIER_NAMES)[number], set: readonly SetMember[]) =>
  checkSet({ tier, members: set, typeUnavailability: TYPE_UNAVAILABILITY });

const facts = (verdict: ReturnType<typeof checkSet>) =>
  verdict.violations.map(({ rule, have, need, members: ids }) => ({ rule, have, need, members: ids }));

test.each(TIER_NAMES)('%s accepts members that differ in everything', (tier) => {
  expect(check(tier, members(TIERS[tier].winners))).toMatchObject({ meetsTier: true, violations: [] });
});

describe('R74-R77: each broken rule is named with what is there and what is needed', () => {
  test('too few members: have 2, need 3', () => {
    expect(facts(check('gold', members(2)))).toContainEqual({
      rule: 'member-count',
      have: 2,
      need: 3,
      members: ['m0', 'm1'],
    });
  });

  test.each([
    ['distinct-owner', { owner: 'same' }],
    ['distinct-asn', { asn: 7 }],
    ['distinct-region', { region: 'same' }],
  ] as const)('%s: have 2, need 3, and which members', (rule, change) => {
    const set = [member(0, change), member(1), member(2, change)];
    expect(facts(check('gold', set))).toEqual([{ rule, have: 2, need: 3, members: ['m0', 'm2'] }]);
  });

  test('max-per-type: at most winners − required_up of one type', () => {
    const aws = { infrastructureType: 'cloud_aws' } as const;
    expect(facts(check('gold', [member(0, aws), member(1, aws), member(2)]))).toContainEqual({
      rule: 'max-per-type',
      have: 2,
      need: 1,
      members: ['m0', 'm1'],
    });
    const three = [member(0, aws), member(1, aws), member(2, aws), member(3), member(4)];
    expect(facts(check('platinum', three))).toContainEqual({
      rule: 'max-per-type',
      have: 3,
      need: 2,
      members: ['m0', 'm1', 'm2'],
    });
  });

  test('R76: platinum wants four types where five are offered, and only there', () => {
    const types = ['cloud_aws', 'cloud_aws', 'cloud_gcp', 'cloud_gcp', 'cloud_azure'] as const;
    const set = types.map((infrastructureType, index) => member(index, { infrastructureType }));
    const offered = (offeredTypes: number) =>
      checkSet({ tier: 'platinum', members: set, typeUnavailability: TYPE_UNAVAILABILITY, offeredTypes });
    expect(offered(4).meetsTier).toBe(true);
    expect(facts(offered(5))).toEqual([
      { rule: 'minimum-types', have: 3, need: 4, members: ['m0', 'm1', 'm2', 'm3', 'm4'] },
    ]);
  });

  test('availability: the computed figure against the target', () => {
    const verdict = check('gold', members(3, { unavailability: 0.02 }));
    expect(verdict.violations).toHaveLength(1);
    expect(verdict.violations[0]).toMatchObject({
      rule: 'availability',
      have: verdict.predictedAvailability,
      need: 0.999,
    });
    expect(verdict.predictedAvailability).toBeLessThan(0.999);
  });

  test('every violation carries a recommendation, and all are reported together', () => {
    const { violations } = check('gold', [member(0), member(0), member(0, { unavailability: 0.5 })]);
    expect(violations.map(({ rule }) => rule)).toEqual([
      'distinct-owner',
      'max-per-type',
      'distinct-asn',
      'distinct-region',
      'availability',
    ]);
    for (const { recommendation } of violations) expect(recommendation).not.toBe('');
  });

  test('an empty set lacks everything and divides by nothing', () => {
    expect(check('silver', [])).toMatchObject({ predictedAvailability: 0, meetsTier: false });
  });
});

describe('rules', () => {
  test('R72: bronze is one member without diversity rules', () => {
    expect(rulesFor({ tier: 'bronze' })).toMatchObject({ size: 1, maxPerType: null, distinctAsn: false });
  });

  test('a stricter requirement tightens the cap per type, never below one', () => {
    expect(rulesFor({ tier: 'platinum', requiredUp: 4 }).maxPerType).toBe(1);
    expect(rulesFor({ tier: 'platinum', requiredUp: 5 }).maxPerType).toBe(1);
    expect(rulesFor({ tier: 'gold', requiredUp: 4 }).size).toBe(4);
  });

  test('a larger set than the tier buys is no violation', () => {
    expect(check('silver', members(3)).meetsTier).toBe(true);
  });
});
