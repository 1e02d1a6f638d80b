import { account } from '../../../domain/ledger/events.ts';
import type { Attack } from './attack.ts';
import { createCustomer } from './customer.ts';
import { HONEST_JOBS, HONEST_NODES, type HonestJob, submitHonestJobs } from './honest.ts';
import { type Market, OWNER_CREDIT, openMarket } from './market.ts';
import { type Sale, salesTo } from './sales.ts';

const SEED = 9;
/** Honest jobs come, and attacks go on, for so long. */
const ATTACK_MS = 300_000;
/** By then everything has ended: an auction of an hour with its extension and award, or an hour's rent, and a job. */
const END_MS = ATTACK_MS + 2 * 3_600_000;

/** What a market came to. */
export interface Outcome {
  /** Micro-units by principal: what is available to it, what it has staked and posted as bonds, less what owners and attackers had at the start. */
  readonly wealth: ReadonlyMap<string, number>;
  /** TOPS × ms that each honest node held, by its owner and the order. */
  readonly held: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** What honest nodes sold to jobs of the attacker. */
  readonly sales: readonly Sale[];
  readonly jobs: readonly HonestJob[];
  readonly attackers: ReadonlySet<string>;
}

const wealthOf = async ({ nodes, engine }: Market, principal: string): Promise<number> => {
  const stakes = nodes.filter(({ owner }) => owner === principal).map(({ providerId }) => providerId);
  const accounts = [
    account.available(principal),
    ...stakes.flatMap((id) => [account.stake(id), account.bond(id)]),
  ];
  const balances = await Promise.all(accounts.map((name) => engine.journal.balanceOf(name)));
  return balances.reduce((sum, balance) => sum + Number(balance), 0);
};

const begin = async (attack: Attack, market: Market): Promise<ReadonlyMap<string, bigint>> => {
  const { clock } = market.engine;
  const endMs = clock.nowMs() + ATTACK_MS;
  const brought = new Map<string, bigint>();
  await attack.begin?.({
    market,
    async customer(name, money) {
      const customer = createCustomer(market, name);
      await market.fund(customer.principal, money);
      brought.set(customer.principal, money);
      return customer;
    },
    every(ms, work) {
      const again = async (): Promise<void> => {
        if (clock.nowMs() >= endMs) return;
        await work();
        clock.after(ms, again);
      };
      clock.after(0, again);
    },
  });
  return brought;
};

/** Plays the market with an attack, or with the attacker's nodes alone, doing as they should. */
export const play = async (attack: Attack, isAttacking: boolean): Promise<Outcome> => {
  const own = attack.nodes ?? [];
  const profiles = isAttacking ? own : own.map(({ conduct: _, ...profile }) => profile);
  const market = await openMarket([...HONEST_NODES, ...profiles], SEED);
  const { clock, hosts } = market.engine;
  const jobsOf = await submitHonestJobs(market, ATTACK_MS, attack.honestJobs ?? HONEST_JOBS);
  const brought = isAttacking ? await begin(attack, market) : new Map<string, bigint>();
  await clock.run(END_MS);
  for (const { ended, stream, snapshot } of hosts.values())
    if (!ended) throw new Error(`${stream} is still ${JSON.stringify(snapshot.value)}`);
  const jobs = await jobsOf();
  const attackers = new Set([
    ...market.nodes.slice(HONEST_NODES.length).map(({ owner }) => owner),
    ...brought.keys(),
  ]);
  const principals = [...market.nodes.map(({ owner }) => owner), ...jobs.map(({ submitter }) => submitter)];
  const had = new Map([...market.nodes.map(({ owner }) => [owner, OWNER_CREDIT] as const), ...brought]);
  const wealth = new Map<string, number>();
  for (const principal of [...principals, ...brought.keys()])
    wealth.set(principal, (await wealthOf(market, principal)) - Number(had.get(principal) ?? 0n));
  const held = new Map(
    market.nodes.slice(0, HONEST_NODES.length).map(({ owner, holds }) => [owner, holds.totals()]),
  );
  const sales = (await salesTo(attackers, hosts.values(), market.engine.store)).filter(({ owner }) =>
    held.has(owner),
  );
  await market.close();
  return { wealth, held, sales, jobs, attackers };
};
