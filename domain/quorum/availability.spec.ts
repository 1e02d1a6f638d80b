import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  INFRASTRUCTURE_TYPES,
  type InfrastructureType,
  MEMBER_UNAVAILABILITY,
  TYPE_UNAVAILABILITY,
} from '../tiers.ts';
import { type AvailabilityMember, availability, type TypeUnavailability } from './availability.ts';

const DIGITS = 8;
const [aws, azure, gcp, edge, dc, hybrid] = INFRASTRUCTURE_TYPES as unknown as readonly [
  InfrastructureType,
  InfrastructureType,
  InfrastructureType,
  InfrastructureType,
  InfrastructureType,
  InfrastructureType,
];

const independent = (count: number, up: number): AvailabilityMember[] =>
  INFRASTRUCTURE_TYPES.slice(0, count).map((infrastructureType) => ({
    infrastructureType,
    unavailability: 1 - up,
  }));

const spread = (...types: readonly InfrastructureType[]): AvailabilityMember[] =>
  types.map((infrastructureType) => ({ infrastructureType, unavailability: 0.009 }));

const everyType = (share: number): TypeUnavailability =>
  Object.fromEntries(INFRASTRUCTURE_TYPES.map((type) => [type, share]));

/** The same probability straight from the definition: every up/down pattern of every type and member. */
const byEnumeration = (
  members: readonly AvailabilityMember[],
  requiredUp: number,
  shares: TypeUnavailability,
): number => {
  const types = [...new Set(members.map((member) => member.infrastructureType))];
  let total = 0;
  for (let pattern = 0; pattern < 2 ** (types.length + members.length); pattern++) {
    const isUp = (bit: number): boolean => (pattern >> bit) % 2 === 1;
    let chance = 1;
    for (const [bit, type] of types.entries())
      chance *= isUp(bit) ? 1 - (shares[type] ?? 0) : (shares[type] ?? 0);
    let up = 0;
    for (const [index, member] of members.entries()) {
      const memberUp = isUp(types.length + index);
      chance *= memberUp ? 1 - member.unavailability : member.unavailability;
      if (memberUp && isUp(types.indexOf(member.infrastructureType))) up++;
    }
    if (up >= requiredUp) total += chance;
  }
  return total;
};

describe('quorum.availability.cases', () => {
  test.each([
    ['2 members .99, k=1', independent(2, 0.99), 1, {}, 0.9999],
    ['3 members .98, k=2', independent(3, 0.98), 2, {}, 0.998816],
    ['3 members .99, k=2', independent(3, 0.99), 2, {}, 0.999702],
    ['5 members .98, k=3', independent(5, 0.98), 3, {}, 0.99992238],
    ['5 of one type, k=3', spread(aws, aws, aws, aws, aws), 3, everyType(0.001), 0.99899282],
    ['types 4+1, k=3', spread(aws, aws, aws, aws, gcp), 3, everyType(0.001), 0.99899234],
    ['types 3+2, k=3', spread(aws, aws, aws, gcp, gcp), 3, everyType(0.001), 0.99896609],
    ['types 2+2+1, k=3', spread(aws, aws, gcp, gcp, edge), 3, everyType(0.001), 0.99993594],
    [
      '5 of one type, k=1: the ceiling of the type',
      spread(aws, aws, aws, aws, aws),
      1,
      everyType(0.001),
      0.999,
    ],
    [
      '{aws, az, gcp, dc, edge}, k=3',
      [aws, azure, gcp, dc, edge].map((type) => ({
        infrastructureType: type,
        unavailability: MEMBER_UNAVAILABILITY[type],
      })),
      3,
      TYPE_UNAVAILABILITY,
      0.99997076,
    ],
  ] as const)('%s', (_, members, requiredUp, shares, expected) => {
    expect(availability(members, requiredUp, shares)).toBeCloseTo(expected, DIGITS);
  });

  // Where the tier's target is reached exactly, by bisection on the members' availability.
  test.each([
    [0.995, 2, 1, 0.929289],
    [0.995, 2, 2, 0.997497],
    [0.999, 3, 1, 0.9],
    [0.999, 3, 2, 0.98163],
    [0.999, 3, 3, 0.999667],
    [0.9999, 5, 1, 0.841511],
    [0.9999, 5, 2, 0.932187],
    [0.9999, 5, 3, 0.978218],
    [0.9999, 5, 4, 0.996828],
    [0.9999, 5, 5, 0.99998],
  ])('target %d with n=%d, k=%d needs members of %d', (target, count, requiredUp, expected) => {
    let [low, high] = [0, 1];
    for (let step = 0; step < 60; step++) {
      const middle = (low + high) / 2;
      if (availability(independent(count, middle), requiredUp, {}) >= target) high = middle;
      else low = middle;
    }
    expect(high).toBeCloseTo(expected, 6);
  });
});

const share = fc.double({ min: 0, max: 1, noNaN: true });
const members = fc.array(
  fc.record({ infrastructureType: fc.constantFrom(...INFRASTRUCTURE_TYPES), unavailability: share }),
  { minLength: 1, maxLength: 6 },
);
const shares = fc.record(Object.fromEntries(INFRASTRUCTURE_TYPES.map((type) => [type, share])));

describe('properties', () => {
  test('R78: equals the sum over all outage patterns', () => {
    fc.assert(
      fc.property(members, fc.integer({ min: 1, max: 6 }), shares, (set, requiredUp, table) => {
        expect(availability(set, requiredUp, table)).toBeCloseTo(byEnumeration(set, requiredUp, table), 9);
      }),
    );
  });

  test('does not depend on the order of the members, to the last bit', () => {
    fc.assert(
      fc.property(
        members.chain((set) =>
          fc.tuple(fc.constant(set), fc.shuffledSubarray(set, { minLength: set.length })),
        ),
        shares,
        ([set, shuffled], table) => {
          expect(availability(shuffled, 2, table)).toBe(availability(set, 2, table));
        },
      ),
    );
  });

  test('a better member never lowers it', () => {
    fc.assert(
      fc.property(members, shares, share, (set, table, factor) => {
        const [first, ...others] = set as [AvailabilityMember, ...AvailabilityMember[]];
        const better = { ...first, unavailability: first.unavailability * factor };
        const [before, after] = [set, [better, ...others]].map((each) => availability(each, 2, table));
        expect(after).toBeGreaterThanOrEqual((before as number) - 1e-12);
      }),
    );
  });

  test('ceiling law: a type with more than n − k members bounds it by 1 − u', () => {
    fc.assert(
      fc.property(share, fc.integer({ min: 3, max: 5 }), (outage, inType) => {
        const set = [...Array<InfrastructureType>(inType).fill(aws), azure, gcp]
          .slice(0, 5)
          .map((infrastructureType) => ({
            infrastructureType,
            unavailability: 0,
          }));
        expect(availability(set, 3, { cloud_aws: outage })).toBeLessThanOrEqual(1 - outage + 1e-12);
      }),
    );
  });

  test('nothing is up in an empty set', () => expect(availability([], 1, {})).toBe(0));
});

describe('Monte Carlo', () => {
  test('10^6 simulated moments agree within four standard errors', () => {
    let state = 20_260_729;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const set = [aws, aws, gcp, edge, hybrid].map((infrastructureType) => ({
      infrastructureType,
      unavailability: 0.15,
    }));
    const table = everyType(0.1);
    const trials = 1_000_000;
    let served = 0;
    for (let trial = 0; trial < trials; trial++) {
      const down = new Set(INFRASTRUCTURE_TYPES.filter(() => random() < 0.1));
      if (set.filter((member) => !down.has(member.infrastructureType) && random() >= 0.15).length >= 3)
        served++;
    }
    const computed = availability(set, 3, table);
    const error = Math.sqrt((computed * (1 - computed)) / trials);
    expect(Math.abs(served / trials - computed)).toBeLessThan(4 * error);
  });
});
