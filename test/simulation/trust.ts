import { award } from '../../domain/auction/award.ts';
import type { OpenedBid } from '../../domain/auction/events.ts';
import { generator } from '../../domain/auction/market.fixture.ts';
import { type Micro, toMicro } from '../../domain/money.ts';
import {
  admits,
  EVIDENCE_WEIGHTS,
  type Evidence,
  NO_EVIDENCE,
  withEvidence,
} from '../../domain/provider/opinion.ts';
import { type KnownPayer, paidWeight, withPayer } from '../../domain/provider/paid-work.ts';
import { INFRASTRUCTURE_TYPES, TYPE_UNAVAILABILITY } from '../../domain/tiers.ts';

/**
 * The network of domain-rules 2.3 under the rules of the product, run together: evidence by fee and payer, the gate that
 * admits to an award, probation, and the award by price at critical values. Failed work counts as a lost run.
 */
const PROVIDERS = 100;
const MALICIOUS = 30;
const CANDIDATES = 8;
const HONEST_SUCCESS = 0.97;
const PAYERS = 40;
/** Chips that each attacker has beside its first: a name takes a chip of its own. */
const CHIPS = 3;
const CEILING = 10_000;
const START = '2026-01-01T00:00:00.000Z';

export const ATTACKS = ['persist', 'camouflage', 'on-off', 'betray', 'whitewash', 'collusion'] as const;
export type Attack = (typeof ATTACKS)[number];

export interface TrustRules {
  /** Whether evidence counts by fee and payer (settled 39–42), or one for one as before. */
  readonly weighted: boolean;
  /** Whether who is trusted matters at all. */
  readonly gated: boolean;
  /** Attackers ask almost nothing, and so win wherever they may compete. */
  readonly underbid: boolean;
}

interface Agent {
  readonly malicious: boolean;
  readonly index: number;
  evidence: Evidence;
  payers: readonly KnownPayer[];
  done: number;
  /** Chips it has not used. */
  chips: number;
}

export interface TrustStudy {
  /** Share of tasks that failed; 0.03 where everybody is honest. */
  readonly failed: number;
  /** Share of tasks that attackers got. */
  readonly taken: number;
  /** Identities that attackers left behind: each takes a chip of its own and a stake. */
  readonly identities: number;
}

type Random = () => number;

const successRate = ({ malicious, done }: Agent, attack: Attack): number => {
  if (!malicious) return HONEST_SUCCESS;
  switch (attack) {
    case 'camouflage':
      return 0.7;
    case 'on-off':
      return done % 40 < 20 ? 1 : 0;
    case 'betray':
      return done < 50 ? 1 : 0;
    default:
      return 0.3;
  }
};

const worked = (agent: Agent, good: boolean, payer: string, fee: Micro, weighted: boolean): void => {
  const work = { payer, fee };
  const weight = !good
    ? EVIDENCE_WEIGHTS.lost
    : weighted
      ? { positive: paidWeight(work, agent.payers), negative: 0 }
      : EVIDENCE_WEIGHTS.completed;
  if (good) agent.payers = withPayer(agent.payers, work);
  agent.evidence = withEvidence(agent.evidence, { ...weight, at: START });
};

/** Twelve jobs of a friend, at the price that the two agree on. */
const befriend = (agent: Agent, weighted: boolean): void => {
  for (let job = 0; job < 12; job++)
    worked(agent, true, `friend-${agent.index}`, toMicro(BigInt(CEILING)), weighted);
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

/** One network of `tasks` tasks. */
export const studyTrust = (attack: Attack, rules: TrustRules, tasks: number, seed: number): TrustStudy => {
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
    }),
  );
  const fresh = (agent: Agent): void => {
    agent.evidence = NO_EVIDENCE;
    agent.payers = [];
    if (attack === 'collusion') befriend(agent, rules.weighted);
  };
  agents.filter(({ malicious }) => malicious).forEach(fresh);
  let [failed, taken, identities, done] = [0, 0, 0, 0];
  for (let task = 0; task < tasks; task++) {
    for (let place = 0; place < CANDIDATES; place++) {
      const other = place + Math.floor(random() * (PROVIDERS - place));
      [agents[place], agents[other]] = [agents[other] as Agent, agents[place] as Agent];
    }
    const bids = agents.slice(0, CANDIDATES).flatMap((agent) => {
      const { admitted, newcomer } = admits(agent.evidence, START);
      const cost = 4000 + Math.floor(random() * 4000);
      const price = agent.malicious && rules.underbid ? 100 : cost;
      if (!rules.gated) return [bidOf(agent, price, false)];
      return admitted ? [bidOf(agent, price, newcomer)] : [];
    });
    const outcome = award({
      tier: 'bronze',
      ceiling: toMicro(BigInt(CEILING)),
      bids,
      typeUnavailability: TYPE_UNAVAILABILITY,
      seed: `seed-${seed}-${task}`,
    });
    const [winner] = outcome.ok ? outcome.winners : [];
    const agent = winner && agents.find(({ index }) => winner.providerId === `provider-${index}`);
    if (!winner || !agent) continue;
    done++;
    const good = random() < successRate(agent, attack);
    agent.done++;
    if (!good) failed++;
    if (agent.malicious) taken++;
    worked(agent, good, `payer-${Math.floor(random() * PAYERS)}`, winner.payment, rules.weighted);
    // A name that has lost its standing is left for a new one.
    const leaves = attack === 'whitewash' || attack === 'collusion';
    const { positive, negative } = agent.evidence.remembered;
    if (leaves && agent.malicious && agent.chips > 0 && (positive + 1) / (positive + negative + 2) < 0.5) {
      agent.chips--;
      fresh(agent);
      identities++;
    }
  }
  return { failed: failed / done, taken: taken / done, identities };
};

const MARKETS: readonly [string, TrustRules][] = [
  ['no gate', { weighted: true, gated: false, underbid: false }],
  ['one for one', { weighted: false, gated: true, underbid: false }],
  ['the rules', { weighted: true, gated: true, underbid: false }],
  ['one for one, underbid', { weighted: false, gated: true, underbid: true }],
  ['the rules, underbid', { weighted: true, gated: true, underbid: true }],
];
const TASKS = 20_000;
const SEEDS = [1, 2, 3];

export const run = (): void => {
  const rows = ATTACKS.flatMap((attack) =>
    MARKETS.map(([name, rules]) => {
      const studies = SEEDS.map((seed) => studyTrust(attack, rules, TASKS, seed));
      const mean = (of: (study: TrustStudy) => number): number =>
        studies.reduce((sum, study) => sum + of(study), 0) / studies.length;
      return {
        attack,
        market: name,
        failed: mean(({ failed }) => failed).toFixed(3),
        'to attackers': mean(({ taken }) => taken).toFixed(3),
        identities: Math.round(mean(({ identities }) => identities)),
      };
    }),
  );
  console.table(rows);
};
