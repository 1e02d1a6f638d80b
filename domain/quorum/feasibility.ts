import type { Placement } from '../auction/events.ts';
import { TIERS, type TierName } from '../tiers.ts';
import { availability, type TypeUnavailability } from './availability.ts';
import type { Violation } from './events.ts';

/** A member as the rules see it. `id` is what violations name it by. */
export interface SetMember extends Omit<Placement, 'providerId'> {
  readonly id: string;
}

/** The rules of a tier made concrete for one set. */
export interface SetRules {
  /** Fewest members. */
  readonly size: number;
  readonly requiredUp: number;
  /** Least availability. */
  readonly target: number;
  readonly maxPerType: number | null;
  readonly distinctAsn: boolean;
  readonly distinctRegion: boolean;
  /** Fewest infrastructure types; 0 where the rule does not apply. */
  readonly minimumTypes: number;
}

export interface RuleChoice {
  readonly tier: TierName;
  /** Members that must be up at once; the tier's own unless given. */
  readonly requiredUp?: number;
  /** Members wanted; the tier's own unless given. */
  readonly size?: number;
  /** How many infrastructure types are on offer (platinum, settled 14). */
  readonly offeredTypes?: number;
}

export const rulesFor = ({ tier, requiredUp, size, offeredTypes = 0 }: RuleChoice): SetRules => {
  const { winners, availability: target, diversity, requiredUp: tierUp } = TIERS[tier];
  const up = requiredUp ?? tierUp;
  const { minimumTypes } = diversity;
  return {
    size: Math.max(size ?? winners, up),
    requiredUp: up,
    target,
    // A cap below one would forbid every set, also the most diverse.
    maxPerType: diversity.maxPerType === null ? null : Math.max(1, winners - up),
    distinctAsn: diversity.distinctAsn,
    distinctRegion: diversity.distinctRegion,
    minimumTypes: minimumTypes && offeredTypes >= minimumTypes.whenOffered ? minimumTypes.types : 0,
  };
};

export const memberOf = <P extends Placement>(placement: P): P & SetMember => ({
  ...placement,
  id: placement.providerId,
});

export const offeredTypesOf = (members: readonly Pick<Placement, 'infrastructureType'>[]): number =>
  new Set(members.map(({ infrastructureType }) => infrastructureType)).size;

const groupedBy = <K>(members: readonly SetMember[], key: (member: SetMember) => K): Map<K, SetMember[]> =>
  Map.groupBy(members, key);

const ids = (members: readonly SetMember[]): string[] => members.map(({ id }) => id);

/** A rule that wants every member of `members` in a group of its own. */
const distinct = (
  rule: Violation['rule'],
  noun: string,
  members: readonly SetMember[],
  key: (member: SetMember) => string | number,
): Violation[] => {
  const groups = groupedBy(members, key);
  if (groups.size === members.length) return [];
  const shared = [...groups.values()].filter((group) => group.length > 1).flat();
  const surplus = members.length - groups.size;
  return [
    {
      rule,
      have: groups.size,
      need: members.length,
      members: ids(shared),
      recommendation: `replace ${surplus} of these members so that no two share ${noun}`,
    },
  ];
};

const perType = (cap: number, members: readonly SetMember[]): Violation[] =>
  [...groupedBy(members, ({ infrastructureType }) => infrastructureType)]
    .filter(([, group]) => group.length > cap)
    .map(([type, group]) => ({
      rule: 'max-per-type' as const,
      have: group.length,
      need: cap,
      members: ids(group),
      recommendation: `move ${group.length - cap} of these members off ${type}: at most ${cap} may share one infrastructure type`,
    }));

/** Whether two members may not be in one set. */
export const clash = (rules: SetRules, a: SetMember, b: SetMember): boolean =>
  a.owner === b.owner ||
  (rules.distinctAsn && a.asn === b.asn) ||
  (rules.distinctRegion && a.region === b.region);

/** Diversity of a set, whatever its size: every broken rule with what the set has and what the rule needs. */
export const brokenDiversity = (rules: SetRules, members: readonly SetMember[]): Violation[] => {
  const types = offeredTypesOf(members);
  return [
    ...distinct('distinct-owner', 'an owner', members, ({ owner }) => owner),
    ...(rules.maxPerType === null ? [] : perType(rules.maxPerType, members)),
    ...(rules.distinctAsn ? distinct('distinct-asn', 'an autonomous system', members, ({ asn }) => asn) : []),
    ...(rules.distinctRegion ? distinct('distinct-region', 'a region', members, ({ region }) => region) : []),
    ...(types >= rules.minimumTypes
      ? []
      : [
          {
            rule: 'minimum-types' as const,
            have: types,
            need: rules.minimumTypes,
            members: ids(members),
            recommendation: `spread the members over ${rules.minimumTypes - types} more infrastructure types`,
          },
        ]),
  ];
};

export interface SetVerdict {
  readonly predictedAvailability: number;
  /** No violation, the availability target included (settled 13). */
  readonly meetsTier: boolean;
  readonly violations: readonly Violation[];
}

/** Checks a set against concrete rules. */
const checkRules = (
  rules: SetRules,
  members: readonly SetMember[],
  typeUnavailability: TypeUnavailability,
): SetVerdict => {
  const predictedAvailability = availability(members, rules.requiredUp, typeUnavailability);
  const missing = rules.size - members.length;
  const violations: Violation[] = [
    ...(missing <= 0
      ? []
      : [
          {
            rule: 'member-count' as const,
            have: members.length,
            need: rules.size,
            members: ids(members),
            recommendation: `add ${missing} more ${missing === 1 ? 'member' : 'members'}`,
          },
        ]),
    ...brokenDiversity(rules, members),
    ...(predictedAvailability >= rules.target
      ? []
      : [
          {
            rule: 'availability' as const,
            have: predictedAvailability,
            need: rules.target,
            members: ids(members),
            recommendation: 'take more reliable members, or spread them over more infrastructure types',
          },
        ]),
  ];
  return { predictedAvailability, meetsTier: violations.length === 0, violations };
};

export interface SetCheck extends RuleChoice {
  readonly members: readonly SetMember[];
  readonly typeUnavailability: TypeUnavailability;
}

/**
 * The one feasibility question of the system: may this set serve this tier? Award, quorum and the validate route all
 * ask here, so they can never disagree. Without `offeredTypes` the members' own types count as the offer.
 */
export const checkSet = ({ members, typeUnavailability, ...choice }: SetCheck): SetVerdict =>
  checkRules(
    rulesFor({ ...choice, offeredTypes: choice.offeredTypes ?? offeredTypesOf(members) }),
    members,
    typeUnavailability,
  );
