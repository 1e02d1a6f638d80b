import { award } from '../../domain/auction/award.ts';
import type { OpenedBid } from '../../domain/auction/events.ts';
import { generator } from '../../domain/auction/market.fixture.ts';
import { surchargesOf } from '../../domain/auction/surcharge.ts';
import { type Micro, toMicro } from '../../domain/money.ts';
import {
  admits,
  EVIDENCE_WEIGHTS,
  type Evidence,
  NO_EVIDENCE,
  withEvidence,
} from '../../domain/provider/opinion.ts';
import { type KnownPayer, paidWeight, withPayer } from '../../domain/provider/paid-work.ts';
import { isBarred, riskEvidence } from '../../domain/provider/risk.ts';
import { INFRASTRUCTURE_TYPES, TIERS, TYPE_UNAVAILABILITY } from '../../domain/tiers.ts';

/**
 * The network of domain-rules 2.3 under the rules of the product, run together: evidence by fee and payer, the gate that
 * admits to an award, the price of risk, and the award at critical values. Failed work counts as a lost run.
 */
const PROVIDERS = 100;
const MALICIOUS = 30;
const CANDIDATES = 8;
const HONEST_SUCCESS = 0.97;
const PAYERS = 40;
/** Chips that each attacker has beside its first: a name takes a chip of its own. */
const CHIPS = 3;
const TIER = 'bronze';
const CEILING = 10_000;
const START = '2026-01-01T00:00:00.000Z';

export const ATTACKS = [
  'persist',
  'camouflage',
  'on-off',
  'betray',
  'whitewash',
  'collusion',
  // Delivers for as long as its bond stands for it, and fails when it has that back.
  'bonded return',
] as const;
export type Attack = (typeof ATTACKS)[number];

export interface TrustRules {
  /** What happens to who is little trusted: nothing, the gate and probation alone, or the gate and a price of risk. */
  readonly trust: 'none' | 'probation' | 'priced';
  /** Attackers ask almost nothing, and so win wherever price alone decides. */
  readonly underbid: boolean;
  /**
   * Who posts a bond as soon as it is barred. No time passes here, in which a bar would end by itself or a second bond might
   * be posted: each has one.
   */
  readonly bonds: 'nobody' | 'attackers' | 'everybody';
}

interface Agent {
  readonly malicious: boolean;
  readonly index: number;
  evidence: Evidence;
  payers: readonly KnownPayer[];
  done: number;
  /** Chips it has not used. */
  chips: number;
  /** Whether a bond stands for it, and whether it may still post one. */
  isBonded: boolean;
  mayPost: boolean;
}

export interface TrustStudy {
  /** Share of tasks that failed; 0.03 where everybody is honest. */
  readonly failed: number;
  /** Share of tasks that attackers got. */
  readonly taken: number;
  /** Mean payment for a task, micro-units; costs are 4,000 to 8,000, the ceiling is 10,000. */
  readonly paid: number;
  /** Tasks of the honest provider that had the least, and of the median one. */
  readonly least: number;
  readonly median: number;
  /** Tasks that nobody could be awarded. */
  readonly unsold: number;
  /** Identities that attackers left behind: each takes a chip of its own and a stake. */
  readonly identities: number;
  /** What honest newcomers to the grown market get, as a share of what others as honest get meanwhile. */
  readonly newcomers: number;
}

/** So many honest providers are replaced by newcomers, for the last so many tasks. */
const NEWCOMERS = 10;
const NEWCOMERS_TASKS = 4000;

type Random = () => number;

const successRate = ({ malicious, done, isBonded }: Agent, attack: Attack): number => {
  if (!malicious) return HONEST_SUCCESS;
  switch (attack) {
    case 'camouflage':
      return 0.7;
    case 'on-off':
      return done % 40 < 20 ? 1 : 0;
    case 'betray':
      return done < 50 ? 1 : 0;
    case 'bonded return':
      return isBonded ? 1 : 0;
    default:
      return 0.3;
  }
};

const worked = (agent: Agent, good: boolean, payer: string, fee: Micro): void => {
  const work = { payer, fee };
  const weight = good ? { positive: paidWeight(work, agent.payers), negative: 0 } : EVIDENCE_WEIGHTS.lost;
  if (good) agent.payers = withPayer(agent.payers, work);
  agent.evidence = withEvidence(agent.evidence, { ...weight, at: START });
};

/** A fault takes the bond, a record that speaks for itself gives it back; who is barred posts the one it may. */
const settleBond = (agent: Agent, good: boolean): void => {
  const isOut = isBarred(agent.evidence, START);
  if (!good || !isOut) agent.isBonded = false;
  if (!isOut || agent.isBonded || !agent.mayPost) return;
  agent.mayPost = false;
  agent.isBonded = true;
};

/** Twelve jobs of a friend, at the price that the two agree on. */
const befriend = (agent: Agent): void => {
  for (let job = 0; job < 12; job++) worked(agent, true, `friend-${agent.index}`, toMicro(BigInt(CEILING)));
};

const bidOf = (agent: Agent, price: number, newcomer: boolean): OpenedBid => ({
  bidId: `bid-${agent.index}`,
  providerId: `provider-${agent.index}`,
  owner: `owner-${agent.index}`,
  infrastructureType: INFRASTRUCTURE_TYPES[agent.index % 6] ?? 'cloud_aws',
  asn: agent.index,
  region: `region-${agent.index}`,
  unavailability: 0.001,
  price: toMicro(BigInt(price)),
  newcomer,
});

interface Offer {
  readonly agent: Agent;
  readonly price: number;
}

const bidsOf = (offers: readonly Offer[], { trust }: TrustRules, seed: string): OpenedBid[] => {
  if (trust === 'none') return offers.map(({ agent, price }) => bidOf(agent, price, false));
  const admitted = offers.flatMap(({ agent, price }) => {
    const admission = admits(agent.evidence, START, agent.isBonded);
    return admission.admitted ? [{ agent, bid: bidOf(agent, price, admission.newcomer) }] : [];
  });
  if (trust === 'probation') return admitted.map(({ bid }) => bid);
  const risks = admitted.map(({ agent, bid: { owner } }) => ({
    owner,
    evidence: riskEvidence(agent.evidence, START, agent.isBonded),
  }));
  const terms = { ceiling: toMicro(BigInt(CEILING)), winners: TIERS[TIER].winners, seed };
  const surcharges = surchargesOf(risks, terms);
  return admitted.map(({ bid }, index) => ({ ...bid, surcharge: surcharges[index] as Micro }));
};

/** One network of `tasks` tasks; with newcomers, honest ones come when it has grown. */
export const studyTrust = (
  attack: Attack,
  rules: TrustRules,
  tasks: number,
  seed: number,
  newcomers = false,
): TrustStudy => {
  const random: Random = generator(seed);
  const agents = Array.from(
    { length: PROVIDERS },
    (_, index): Agent => ({
      malicious: index < MALICIOUS,
      index,
      evidence: NO_EVIDENCE,
      payers: [],
      done: 0,
      chips: CHIPS,
      isBonded: false,
      mayPost: rules.bonds === 'everybody' || (rules.bonds === 'attackers' && index < MALICIOUS),
    }),
  );
  const honest = agents.filter(({ malicious }) => !malicious);
  const forget = (agent: Agent): void => {
    agent.evidence = NO_EVIDENCE;
    agent.payers = [];
    agent.isBonded = false;
  };
  const begin = (agent: Agent): void => {
    forget(agent);
    if (attack === 'collusion') befriend(agent);
  };
  agents.filter(({ malicious }) => malicious).forEach(begin);
  const arrival = newcomers ? tasks - NEWCOMERS_TASKS : tasks;
  const arrived = new Map<Agent, number>();
  let [failed, taken, identities, done, paid] = [0, 0, 0, 0, 0];
  for (let task = 0; task < tasks; task++) {
    if (task === arrival) {
      honest.slice(0, NEWCOMERS).forEach(forget);
      for (const agent of honest) arrived.set(agent, agent.done);
    }
    for (let place = 0; place < CANDIDATES; place++) {
      const other = place + Math.floor(random() * (PROVIDERS - place));
      [agents[place], agents[other]] = [agents[other] as Agent, agents[place] as Agent];
    }
    const offers = agents.slice(0, CANDIDATES).map((agent) => {
      const cost = 4000 + Math.floor(random() * 4000);
      return { agent, price: agent.malicious && rules.underbid ? 100 : cost };
    });
    const auction = `seed-${seed}-${task}`;
    const outcome = award({
      tier: TIER,
      ceiling: toMicro(BigInt(CEILING)),
      bids: bidsOf(offers, rules, auction),
      typeUnavailability: TYPE_UNAVAILABILITY,
      seed: auction,
    });
    const [winner] = outcome.ok ? outcome.winners : [];
    const agent = winner && agents.find(({ index }) => winner.providerId === `provider-${index}`);
    if (!winner || !agent) continue;
    done++;
    paid += Number(winner.payment);
    const good = random() < successRate(agent, attack);
    agent.done++;
    if (!good) failed++;
    if (agent.malicious) taken++;
    worked(agent, good, `payer-${Math.floor(random() * PAYERS)}`, winner.payment);
    settleBond(agent, good);
    // A name that has lost its standing is left for a new one.
    const leaves = attack === 'whitewash' || attack === 'collusion';
    const { positive, negative } = agent.evidence.remembered;
    if (leaves && agent.malicious && agent.chips > 0 && (positive + 1) / (positive + negative + 2) < 0.5) {
      agent.chips--;
      begin(agent);
      identities++;
    }
  }
  const work = honest.map((agent) => agent.done).toSorted((a, b) => a - b);
  const since = honest.map((agent) => agent.done - (arrived.get(agent) ?? 0));
  const meanOf = (counts: readonly number[]): number =>
    counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return {
    failed: failed / done,
    taken: taken / done,
    paid: paid / done,
    least: work[0] ?? 0,
    median: work[Math.floor(work.length / 2)] ?? 0,
    unsold: tasks - done,
    identities,
    newcomers: newcomers ? meanOf(since.slice(0, NEWCOMERS)) / meanOf(since.slice(NEWCOMERS)) : Number.NaN,
  };
};

const TASKS = 20_000;
const SEEDS = [1, 2, 3];

/** The mean of each figure over seeds. */
export const meanStudy = (
  attack: Attack,
  rules: TrustRules,
  { seeds = SEEDS, newcomers = false }: { seeds?: readonly number[]; newcomers?: boolean } = {},
): TrustStudy => {
  const studies = seeds.map((seed) => studyTrust(attack, rules, TASKS, seed, newcomers));
  const mean = (of: (study: TrustStudy) => number): number =>
    studies.reduce((sum, study) => sum + of(study), 0) / studies.length;
  return {
    failed: mean(({ failed }) => failed),
    taken: mean(({ taken }) => taken),
    paid: mean(({ paid }) => paid),
    least: mean(({ least }) => least),
    median: mean(({ median }) => median),
    unsold: mean(({ unsold }) => unsold),
    identities: mean(({ identities }) => identities),
    newcomers: mean((study) => study.newcomers),
  };
};

/** Attackers post bonds where there is a bar that they could buy off. */
const RULES = [
  { trust: 'none', bonds: 'nobody' },
  { trust: 'probation', bonds: 'nobody' },
  { trust: 'priced', bonds: 'nobody' },
  { trust: 'priced', bonds: 'attackers' },
] as const satisfies readonly Omit<TrustRules, 'underbid'>[];

/** Three seeds for the rules, one for what they are compared with. */
export const run = (): void => {
  const rows = ATTACKS.flatMap((attack) =>
    [false, true].flatMap((underbid) =>
      RULES.map(({ trust, bonds }) => {
        const rules = { trust, bonds, underbid };
        const study = meanStudy(attack, rules, trust === 'priced' ? {} : { seeds: [1] });
        return {
          attack,
          'attackers ask': underbid ? 'almost nothing' : 'their cost',
          trust,
          'who posts bonds': bonds,
          failed: study.failed.toFixed(4),
          'to attackers': study.taken.toFixed(3),
          'mean payment': Math.round(study.paid),
          'least work': Math.round(study.least),
          'median work': Math.round(study.median),
          unsold: Math.round(study.unsold),
          identities: Math.round(study.identities),
        };
      }),
    ),
  );
  console.table(rows);
  console.table(
    [...RULES, { trust: 'priced', bonds: 'everybody' } as const].map(({ trust, bonds }) => {
      const rules = { trust, bonds, underbid: false };
      const { newcomers } = meanStudy('persist', rules, { newcomers: true });
      const { failed, least, median } = meanStudy('persist', rules, { seeds: [1] });
      return {
        trust,
        'who posts bonds': bonds,
        'work of honest newcomers ÷ that of others': newcomers.toFixed(2),
        failed: failed.toFixed(4),
        'least work': least,
        'median work': median,
      };
    }),
  );
};
