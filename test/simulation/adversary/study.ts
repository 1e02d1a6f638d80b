import { units } from '../../../domain/money.ts';
import { DEFAULT_T_REF, TIERS } from '../../../domain/tiers.ts';
import type { Attack } from './attack.ts';
import type { HonestJob } from './honest.ts';
import { type Outcome, play } from './play.ts';

/** Amounts in micro-units. */
export interface Study {
  readonly attack: Attack;
  readonly cost: number;
  readonly loss: number;
  /** Of the loss: what capacity held for nothing is worth; negative where less of it was. */
  readonly held: number;
  /** Griefing factor: loss ÷ cost; 0 where nobody lost anything. */
  readonly factor: number;
  /** Share of honest jobs that cleared. */
  readonly cleared: number;
}

/** The markets where nobody attacks, by the number of jobs where it is not that of most. */
const undisturbed = new Map<number | undefined, Promise<Outcome>>();
const peace = (honestJobs?: number): Promise<Outcome> => {
  const known = undisturbed.get(honestJobs);
  if (known) return known;
  const outcome = play({ name: 'nobody', from: '', ...(honestJobs !== undefined && { honestJobs }) }, false);
  undisturbed.set(honestJobs, outcome);
  return outcome;
};

const sum = (amounts: Iterable<number>): number => [...amounts].reduce((total, each) => total + each, 0);

const MS_PER_HOUR = 3_600_000;

/** Price of capacity for a while by the list: gold's rate, by which stakes are counted as well. */
const listPriceOf = (topsMs: number): number =>
  (topsMs / DEFAULT_T_REF / MS_PER_HOUR) * Number(units(TIERS.gold.rateMicro));

/** TOPS × ms that honest nodes held for nothing, for the attacker or waiting, more than without the attack. */
const idleMore = (without: Outcome, within: Outcome): number => {
  const paidIn = ({ jobs }: Outcome): ReadonlyMap<string, HonestJob> =>
    new Map(jobs.map((job) => [job.order.auctionId, job]));
  const [before, now] = [paidIn(without), paidIn(within)];
  let more = 0;
  for (const [owner, heldNow] of within.held) {
    const heldBefore = without.held.get(owner);
    for (const order of new Set([...(heldBefore?.keys() ?? []), ...heldNow.keys()])) {
      const wasPaid = before.get(order)?.paid.has(owner) ?? false;
      const isPaid = now.get(order)?.paid.has(owner) ?? false;
      // What work takes that is paid in one of the two runs alone is no loss.
      if (!isPaid || wasPaid) more += heldNow.get(order) ?? 0;
      if (!wasPaid || isPaid) more -= heldBefore?.get(order) ?? 0;
    }
  }
  return more;
};

/** What the list asks more than honest owners did for capacity that they held for the attacker and sold to it. */
const discountOf = ({ sales, held }: Outcome): number =>
  sum(
    sales.map(({ owner, auctionId, topsMs, paid }) => {
      const used = Math.min(topsMs, held.get(owner)?.get(auctionId) ?? 0);
      return Math.max(0, listPriceOf(used) - paid);
    }),
  );

const worthOfCleared = ({ jobs }: Outcome): number =>
  sum(
    jobs
      .filter(({ cleared }) => cleared)
      .map(({ order: { ceiling, tier } }) => Number(units(ceiling)) * TIERS[tier].winners),
  );

/**
 * What an attack does to a market, by its griefing factor: what it costs its victims ÷ what it costs the attacker (V. Buterin,
 * “A griefing factor analysis model”, 2018; as for Casper's validators, pay that is missed is a cost). Both are
 * differences between two runs of the same market, with the attack and without it.
 *
 * Cost: what the attacker's accounts and stakes hold less: fees, slashes, rents, prices paid, net of what came back.
 * Where it has nodes, they do as they should in the run without; new names, which come for the attack, are not there.
 *
 * Loss: that of the honest owners and that of the honest submitters; what one side gains is no comfort to the other.
 * Owners lose what their accounts and stakes hold less, and capacity that they held more for the attacker's orders, for
 * honest ones that did not pay them, or longer for honest ones that paid them in both runs. Who holds capacity takes no
 * other order for it: it counts at the list price, whether or not anybody asked for it meanwhile, and a place at its share
 * of the node at least. What was paid for it is in the accounts; that an owner asked less for what it sold is no loss.
 * Submitters lose what their accounts hold less, and jobs
 * that no longer clear, each at what it was worth to its submitter: winners × ceiling. Their time has no price here.
 */
export const studyAttack = async (attack: Attack): Promise<Study> => {
  const without = await (attack.nodes && attack.without !== 'absent'
    ? play(attack, false)
    : peace(attack.honestJobs));
  const within = await play(attack, true);
  const lostBy = (principals: Iterable<string>): number =>
    sum(
      [...principals].map(
        (principal) => (without.wealth.get(principal) ?? 0) - (within.wealth.get(principal) ?? 0),
      ),
    );
  const cost = lostBy(within.attackers);
  const held = listPriceOf(idleMore(without, within)) - discountOf(within);
  const owners = lostBy(within.held.keys()) + held;
  const submitters =
    lostBy(within.jobs.map(({ submitter }) => submitter)) + worthOfCleared(without) - worthOfCleared(within);
  const loss = Math.max(0, owners) + Math.max(0, submitters);
  const factor = loss === 0 ? 0 : cost <= 0 ? Number.POSITIVE_INFINITY : loss / cost;
  const cleared = within.jobs.filter((job) => job.cleared).length / within.jobs.length;
  return { attack, cost, loss, held, factor, cleared };
};

/** Share of honest jobs that clear where nobody attacks. */
export const studyPeace = async (): Promise<number> => {
  const { jobs } = await peace();
  return jobs.filter(({ cleared }) => cleared).length / jobs.length;
};
