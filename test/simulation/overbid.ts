import { award } from '../../domain/auction/award.ts';
import { purchase } from '../../domain/auction/critical-value.ts';
import type { OpenedBid, Winner } from '../../domain/auction/events.ts';
import { generator, marketOf } from '../../domain/auction/market.fixture.ts';
import { toMicro, units } from '../../domain/money.ts';
import { offeredTypesOf } from '../../domain/quorum/feasibility.ts';
import { replaceMember } from '../../domain/quorum/replace.ts';
import { cheapestSet, type Market, solveEffort } from '../../domain/quorum/solve.ts';
import { TIER_NAMES, TIERS, type TierName, TYPE_UNAVAILABILITY } from '../../domain/tiers.ts';

const CEILING = 10_000;
const ceiling = toMicro(BigInt(CEILING));
/** Chance that a member is lost; of two losses at once the second is left out. */
const LOSS = 0.05;

interface Input {
  readonly tier: TierName;
  readonly survivors: readonly Winner[];
  readonly reserve: readonly OpenedBid[];
  readonly lostOwner: string;
  readonly seed: string;
}

/** The members added in place of one lost, with what they are paid; none where nobody completes the set. */
export type Replacement = (input: Input) => readonly Winner[];

/** Settled 38, as the product does it. */
export const atTheAward: Replacement = ({ lostOwner, ...input }) => {
  const outcome = replaceMember({ ...input, barredOwners: [lostOwner], ceiling });
  return outcome.ok ? outcome.added : [];
};

/** What came before it: critical values among the reserve alone, the survivors fixed. */
export const amongTheReserve: Replacement = ({ tier, survivors, reserve, lostOwner, seed }) => {
  const candidates = reserve.filter(({ owner }) => owner !== lostOwner);
  const market: Market = {
    tier,
    candidates,
    fixed: survivors,
    offeredTypes: offeredTypesOf([...survivors, ...candidates]),
    typeUnavailability: TYPE_UNAVAILABILITY,
    seed,
  };
  const effort = solveEffort();
  const bought = cheapestSet(market, effort);
  return bought.ok ? purchase(market, bought, ceiling, effort).winners : [];
};

/** What each bidder can expect from an auction and the losses after it, by bid id; bids as they are, costs as they were. */
const expected = (
  tier: TierName,
  bids: readonly OpenedBid[],
  costs: ReadonlyMap<string, number>,
  replacement: Replacement,
  seed: string,
): Map<string, number> | null => {
  const result = award({ tier, ceiling, bids, typeUnavailability: TYPE_UNAVAILABILITY, seed });
  if (!result.ok) return null;
  const { winners } = result;
  const gain = ({ bidId, payment }: Winner): number => Number(units(payment)) - (costs.get(bidId) ?? 0);
  const gains = new Map(winners.map((winner) => [winner.bidId, gain(winner)]));
  const won = new Set(winners.map(({ bidId }) => bidId));
  const reserve = bids.filter(({ bidId }) => !won.has(bidId));
  const chance = LOSS * (1 - LOSS) ** (winners.length - 1);
  for (const lost of winners) {
    const survivors = winners.filter((winner) => winner !== lost);
    for (const added of replacement({ tier, survivors, reserve, lostOwner: lost.owner, seed }))
      gains.set(added.bidId, (gains.get(added.bidId) ?? 0) + chance * gain(added));
  }
  return gains;
};

/** Bids above the own cost that change anything: just above each other's bid, and the ceiling. */
const overbids = (bids: readonly OpenedBid[], bidder: OpenedBid): bigint[] =>
  [
    ...new Set(bids.flatMap(({ price }) => [units(price) - 1n, units(price) + 1n]).concat(BigInt(CEILING))),
  ].filter((price) => price > units(bidder.price) && price <= BigInt(CEILING));

export interface OverbidStudy {
  readonly profiles: number;
  /** Profiles in which some bidder gains by bidding more than its cost. */
  readonly paying: number;
  /** Losses of one member that were replaced. */
  readonly replaced: number;
  readonly losses: number;
}

/**
 * Random markets with uniform costs, up to the ceiling unless given (domain-rules 1.3), every bidder tried with every
 * overbid that changes anything.
 */
export const overbidStudy = (
  tier: TierName,
  bidders: number,
  profiles: number,
  replacement: Replacement,
  highestCost = CEILING,
): OverbidStudy => {
  const random = generator(1000 * bidders + TIER_NAMES.indexOf(tier));
  let [seen, paying, replaced, losses] = [0, 0, 0, 0];
  for (let number = 0; seen < profiles; number++) {
    const bids = marketOf(random, {
      bids: bidders,
      asns: 1_000_000,
      regions: 1_000_000,
      unavailability: [0.001, 0.002],
      highestPrice: highestCost,
    });
    const costs = new Map(bids.map(({ bidId, price }) => [bidId, Number(price)]));
    const seed = `${number}`;
    const honest = expected(tier, bids, costs, replacement, seed);
    if (honest === null) continue;
    seen++;
    const result = award({ tier, ceiling, bids, typeUnavailability: TYPE_UNAVAILABILITY, seed });
    if (result.ok) {
      const won = new Set(result.winners.map(({ bidId }) => bidId));
      const reserve = bids.filter(({ bidId }) => !won.has(bidId));
      for (const lost of result.winners) {
        losses++;
        const survivors = result.winners.filter((winner) => winner !== lost);
        if (replacement({ tier, survivors, reserve, lostOwner: lost.owner, seed }).length > 0) replaced++;
      }
    }
    const pays = bids.some((bidder, index) =>
      overbids(bids, bidder).some((price) => {
        const lying = bids.with(index, { ...bidder, price: toMicro(price) });
        const gains = expected(tier, lying, costs, replacement, seed);
        return (gains?.get(bidder.bidId) ?? 0) > (honest.get(bidder.bidId) ?? 0) + 1e-6;
      }),
    );
    if (pays) paying++;
  }
  return { profiles, paying, replaced, losses };
};

const PROFILES = 100;
const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(0)} %`;
const say = (cells: readonly (string | number)[]): void =>
  void process.stdout.write(`${cells.map((cell) => String(cell).padStart(20)).join('')}\n`);

/** Per tier: the fewest bidders, of whom one is left as a replacement, and enough for replacements to have rivals. */
export const run = (): void => {
  process.stdout.write(
    `share of ${PROFILES} profiles in which some bidder gains by an overbid, ${100 * LOSS} % loss per member\n`,
  );
  say(['tier', 'bidders', 'costs up to', 'among the reserve', 'at the award', 'losses replaced']);
  for (const tier of TIER_NAMES) {
    const { minimumOwners } = TIERS[tier];
    for (const bidders of [minimumOwners, minimumOwners + 2]) {
      for (const [share, highestCost] of [
        ['the ceiling', CEILING],
        ['a third of it', CEILING / 3],
      ] as const) {
        const [before, now] = [amongTheReserve, atTheAward].map((replacement) =>
          overbidStudy(tier, bidders, PROFILES, replacement, highestCost),
        ) as [OverbidStudy, OverbidStudy];
        const replaced = percent(now.replaced, now.losses);
        const shares = [before, now].map(({ paying, profiles }) => percent(paying, profiles));
        say([tier, bidders, share, ...shares, replaced]);
      }
    }
  }
};
