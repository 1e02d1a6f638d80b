import { award } from '../../domain/auction/award.ts';
import type { OpenedBid, Winner } from '../../domain/auction/events.ts';
import { generator, marketOf } from '../../domain/auction/market.fixture.ts';
import { toMicro, units } from '../../domain/money.ts';
import { replaceMember } from '../../domain/quorum/replace.ts';
import { TIER_NAMES, TIERS, type TierName, TYPE_UNAVAILABILITY } from '../../domain/tiers.ts';

const CEILING = 10_000;
const ceiling = toMicro(BigInt(CEILING));
/** Chance that a member is lost; of two losses at once the second is left out. */
const LOSS = 0.05;

/** Machine version of the quorum, whose rule is studied: 1 until replacements' prices were bounded and survivors raised. */
export type QuorumVersion = 1 | 2;

interface Loss {
  readonly lost: Winner;
  /** Who stays, and who was added, with what each is paid. */
  readonly members: readonly Winner[];
  readonly isReplaced: boolean;
}

interface Outcome {
  readonly winners: readonly Winner[];
  readonly losses: readonly Loss[];
}

const outcomeOf = (
  tier: TierName,
  bids: readonly OpenedBid[],
  quorumVersion: QuorumVersion,
  seed: string,
): Outcome | null => {
  const result = award({ tier, ceiling, bids, typeUnavailability: TYPE_UNAVAILABILITY, seed });
  if (!result.ok) return null;
  const { winners } = result;
  const won = new Set(winners.map(({ bidId }) => bidId));
  const reserve = bids.filter(({ bidId }) => !won.has(bidId));
  const losses = winners.map((lost): Loss => {
    const survivors = winners.filter((winner) => winner !== lost);
    const barredOwners = [lost.owner];
    const next = replaceMember({ tier, survivors, reserve, barredOwners, ceiling, seed, quorumVersion });
    return { lost, members: next.members, isReplaced: next.ok };
  });
  return { winners, losses };
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const paidTo = ({ payment }: Winner): number => Number(units(payment));
const chanceOf = ({ winners }: Outcome): number => LOSS * (1 - LOSS) ** (winners.length - 1);

/** What one bidder can expect of an auction and the losses after it: its gain if nobody is lost, and what each loss changes. */
const expectedGain = (outcome: Outcome, bidId: string, cost: number): number => {
  const gainAmong = (members: readonly Winner[]): number =>
    sum(members.filter((member) => member.bidId === bidId).map((member) => paidTo(member) - cost));
  const atAward = gainAmong(outcome.winners);
  const others = outcome.losses.filter(({ lost }) => lost.bidId !== bidId);
  return atAward + chanceOf(outcome) * sum(others.map(({ members }) => gainAmong(members) - atAward));
};

/** What the submitter can expect to pay; a member that is lost is paid nothing. */
const expectedPrice = (outcome: Outcome): number => {
  const atAward = sum(outcome.winners.map(paidTo));
  return (
    atAward + chanceOf(outcome) * sum(outcome.losses.map(({ members }) => sum(members.map(paidTo)) - atAward))
  );
};

/** Bids that change anything: just below and above each other's bid, nothing, and the ceiling. */
const lies = (bids: readonly OpenedBid[], bidder: OpenedBid): bigint[] =>
  [
    ...new Set([0n, ...bids.flatMap(({ price }) => [units(price) - 1n, units(price) + 1n]), units(ceiling)]),
  ].filter((price) => price !== units(bidder.price) && price >= 0n && price <= units(ceiling));

export interface OverbidStudy {
  readonly profiles: number;
  /** Profiles in which some bidder gains by bidding more than its cost. */
  readonly overbids: number;
  /** The same by less. */
  readonly underbids: number;
  /** Losses of one member that were replaced. */
  readonly replaced: number;
  readonly losses: number;
  /** What submitters can expect to pay, as a share of what the awards alone come to. */
  readonly price: number;
}

/**
 * Random markets with uniform costs, up to the ceiling unless given (domain-rules 1.3), in which every bidder, winner or
 * not, tries every bid that changes anything.
 */
export const overbidStudy = (
  tier: TierName,
  bidders: number,
  profiles: number,
  quorumVersion: QuorumVersion = 2,
  highestCost = CEILING,
): OverbidStudy => {
  const random = generator(1000 * bidders + TIER_NAMES.indexOf(tier));
  let [seen, overbids, underbids, replaced, losses, awards, prices] = [0, 0, 0, 0, 0, 0, 0];
  for (let number = 0; seen < profiles; number++) {
    const bids = marketOf(random, {
      bids: bidders,
      asns: 1_000_000,
      regions: 1_000_000,
      unavailability: [0.001, 0.002],
      highestPrice: highestCost,
    });
    const seed = `${number}`;
    const honest = outcomeOf(tier, bids, quorumVersion, seed);
    if (honest === null) continue;
    seen++;
    losses += honest.losses.length;
    replaced += honest.losses.filter(({ isReplaced }) => isReplaced).length;
    awards += sum(honest.winners.map(paidTo));
    prices += expectedPrice(honest);
    const pays = { over: false, under: false };
    for (const [index, bidder] of bids.entries()) {
      const cost = Number(bidder.price);
      const gain = expectedGain(honest, bidder.bidId, cost);
      for (const price of lies(bids, bidder)) {
        const kind = price > units(bidder.price) ? 'over' : 'under';
        if (pays[kind]) continue;
        const lying = bids.with(index, { ...bidder, price: toMicro(price) });
        const outcome = outcomeOf(tier, lying, quorumVersion, seed);
        if (outcome && expectedGain(outcome, bidder.bidId, cost) > gain + 1e-6) pays[kind] = true;
      }
    }
    if (pays.over) overbids++;
    if (pays.under) underbids++;
  }
  return { profiles, overbids, underbids, replaced, losses, price: prices / awards };
};

/** The fewest bidders a tier may have, of whom one is left as a replacement, and enough for replacements to have rivals. */
export const biddersOf = (tier: TierName): readonly number[] => [
  TIERS[tier].minimumOwners,
  TIERS[tier].minimumOwners + 2,
];

/** Costs up to the ceiling, and up to a third of it. */
export const HIGHEST_COSTS = [CEILING, CEILING / 3] as const;

/** Of each row printed; fewer say little about a tenth. */
export const PROFILES = 100;
const percent = (part: number, whole = 1): string => `${((100 * part) / whole).toFixed(0)} %`;
const say = (cells: readonly (string | number)[]): void =>
  void process.stdout.write(`${cells.map((cell) => String(cell).padStart(14)).join('')}\n`);

/** Per tier, number of bidders and level of costs: how often a lie pays, and what the rule against it costs. */
export const run = (): void => {
  process.stdout.write(
    `shares of ${PROFILES} profiles in which some bidder gains by a lie, ${100 * LOSS} % loss per member; before: machine version 1\n`,
  );
  say(['', '', '', 'overbids', '', 'underbids', 'losses', 'replaced', 'price', 'of the award']);
  say(['tier', 'bidders', 'costs up to', 'before', 'now', 'now', 'before', 'now', 'before', 'now']);
  for (const tier of TIER_NAMES) {
    for (const bidders of biddersOf(tier)) {
      for (const highest of HIGHEST_COSTS) {
        const before = overbidStudy(tier, bidders, PROFILES, 1, highest);
        const now = overbidStudy(tier, bidders, PROFILES, 2, highest);
        say([
          tier,
          bidders,
          highest === CEILING ? 'ceiling' : 'a third of it',
          percent(before.overbids, before.profiles),
          percent(now.overbids, now.profiles),
          percent(now.underbids, now.profiles),
          percent(before.replaced, before.losses),
          percent(now.replaced, now.losses),
          percent(before.price),
          percent(now.price),
        ]);
      }
    }
  }
};
