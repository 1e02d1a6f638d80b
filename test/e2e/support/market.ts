import { expect } from 'vitest';
import type { OpenedBid } from '../../../domain/auction/events.ts';
import type { TierName } from '../../../domain/tiers.ts';
import type { Rest } from '../../support/rest.ts';

const setsOf = <T>(items: readonly T[], size: number): T[][] => {
  if (size === 0) return [[]];
  return items.flatMap((item, index) =>
    setsOf(items.slice(index + 1), size - 1).map((others) => [item, ...others]),
  );
};

const priceOf = (set: readonly OpenedBid[]): bigint =>
  set.reduce((sum, { price, surcharge = '0' }) => sum + BigInt(price) + BigInt(surcharge), 0n);

export interface Award {
  readonly members: readonly OpenedBid[];
  readonly total: bigint;
  /** What each member has to be paid, by provider id. */
  readonly payments: ReadonlyMap<string, bigint>;
}

/**
 * The award as the rules have it (D3), found the slow way: the API is asked about every set of the right size. A member's
 * payment is the cheapest total without its owner minus what else was bought, at most the ceiling; surcharges count.
 */
export const awardByBruteForce = async (
  rest: Rest,
  tier: TierName,
  size: number,
  bids: readonly OpenedBid[],
  ceiling: bigint,
): Promise<Award> => {
  const sets = setsOf(bids, size);
  const verdicts = await Promise.all(
    sets.map(async (set) => {
      const members = set.map(({ providerId, owner, infrastructureType, asn, region, unavailability }) => ({
        id: providerId,
        owner,
        infrastructure_type: infrastructureType,
        asn,
        region,
        unavailability,
      }));
      const { status, body } = await rest.post<{ meets_tier: boolean }>('/v1/fog/quorum/validate', {
        tier,
        members,
      });
      expect(status).toBe(200);
      return body.meets_tier;
    }),
  );
  const feasible = sets
    .filter((_, index) => verdicts[index])
    .toSorted((a, b) => (priceOf(a) < priceOf(b) ? -1 : 1));
  const [members] = feasible;
  if (!members) throw new Error('no set is feasible');
  const total = priceOf(members);
  const payments = members.map(({ providerId, owner, price }) => {
    const without = feasible.find((set) => set.every((bid) => bid.owner !== owner));
    const critical = without ? priceOf(without) - (total - BigInt(price)) : ceiling;
    return [providerId, critical < ceiling ? critical : ceiling] as const;
  });
  return { members, total, payments: new Map(payments) };
};
