import { describe, expect, test } from 'vitest';
import type { Winner } from '../domain/auction/events.ts';
import { bidOf } from '../domain/auction/market.fixture.ts';
import type { FaultCause } from '../domain/enclave/events.ts';
import type { JobEvent, JobSubmitted } from '../domain/job/events.ts';
import { fuelLimitOf } from '../domain/job/fuel.ts';
import { blankJob, enclaveIdOf, evolveJob, type Job } from '../domain/job/job.ts';
import { movements } from '../domain/job/movements.ts';
import { transfer } from '../domain/ledger/entry.ts';
import { account } from '../domain/ledger/events.ts';
import { type Micro, toMicro, units } from '../domain/money.ts';
import type { ProviderCommand } from '../domain/provider/decide.ts';
import { requiredStake } from '../domain/provider/stake.ts';
import { DEFAULT_T_REF } from '../domain/tiers.ts';
import { createMemoryEventStore } from '../infra/event-store/memory/store.ts';
import { createJournal } from '../infra/journal/journal.ts';
import { createProviders } from '../infra/providers/providers.ts';
import { createJobActivities } from './job.ts';

const AT = '2026-01-01T00:00:00.000Z';
const CEILING = toMicro(1000n);
const STAKE = toMicro(10_000n);

const members: readonly Winner[] = [0, 1, 2, 3].map((index) => ({
  ...bidOf(index, 100),
  payment: toMicro(900n),
}));

/** A silver job: two members were bought. Whoever ran has handed in one of two outputs. */
const jobWith = (outputs: readonly ('a' | 'b')[], fuelUsed?: number): Job => {
  const submitted = {
    type: 'job.submitted',
    machineVersion: 1,
    jobId: 'job-1',
    submitter: 'subject-s',
    auctionId: 'auction-1',
    tier: 'silver',
    winners: 2,
    ceiling: CEILING,
    requiredTops: 50,
    utilization: 0.8,
    durationSeconds: 60,
    submittedAt: AT,
  } as JobSubmitted;
  const ran = members.slice(0, outputs.length);
  const events: JobEvent[] = [
    submitted,
    { type: 'job.auction-awarded', auctionId: 'auction-1', winners: ran.slice(0, 2), reserve: [], seed: '' },
    {
      type: 'job.quorum-formed',
      quorumId: 'quorum-1',
      epoch: 2,
      members: ran,
      predictedAvailability: 1,
      formedAt: AT,
    },
    { type: 'job.results-disagreed', results: 2 },
    ...ran.map(
      ({ providerId }, index): JobEvent => ({
        type: 'job.result-received',
        providerId,
        enclaveId: enclaveIdOf('job-1', providerId),
        proofId: `proof-${index}`,
        outcome: 'exited',
        exitCode: 0,
        outputHash: outputs[index] as string,
        ...(fuelUsed !== undefined && { fuelUsed }),
        missedHeartbeats: 0,
        finishedAt: AT,
      }),
    ),
  ];
  return events.reduce(evolveJob, blankJob);
};

const engine = async () => {
  const store = createMemoryEventStore();
  const books = createJournal({ store });
  const providers = createProviders({ store, books, now: () => AT });
  for (const [index, { providerId, owner, infrastructureType, asn, region }] of members.entries()) {
    const node = { providerId, owner, infrastructureType, asn, region, tops: 1, publicKey: `${index}` };
    await providers.execute(
      providerId,
      { type: 'register', ...node },
      { actor: owner, commandId: `register/${index}` },
    );
  }
  const { providerId, owner } = members[1] as Winner;
  const cause = { actor: 'test', correlationId: 'c', causationId: 'c', traceparent: null, occurredAt: AT };
  await books.post([transfer('credit', account.external, account.available(owner), STAKE, 'c')], cause);
  const staked = await providers.execute(
    providerId,
    { type: 'lock-stake', amount: STAKE },
    { actor: owner, commandId: 'stake' },
  );
  if (!staked.ok) throw new Error(staked.message);
  const taken = { ok: true, position: '1', revision: '0', state: 'dissolved' } as const;
  const lifecycles = {
    execute: async () => taken,
    tell: async () => undefined,
  };
  const activities = createJobActivities({ lifecycles, store, providers, now: () => AT });
  const reasons = async (index: number): Promise<unknown[]> =>
    (await store.readStream((members[index] as Winner).providerId)).flatMap(
      ({ data }) => data['reason'] ?? [],
    );
  const balanceOf = (name: string): Promise<string> => books.balanceOf(name);
  const tell = async (index: number, command: ProviderCommand, commandId: string): Promise<void> => {
    const { providerId: id, owner: actor } = members[index] as Winner;
    const outcome = await providers.execute(id, command, { actor, commandId });
    if (!outcome.ok) throw new Error(outcome.message);
  };
  const credit = (index: number, amount: Micro): Promise<unknown> => {
    const to = account.available((members[index] as Winner).owner);
    return books.post([transfer('credit', account.external, to, amount, `c-${index}`)], cause);
  };
  return { activities, reasons, balanceOf, tell, credit };
};

test.each([
  { who: 'two of three agree', outputs: ['a', 'b', 'a'], paid: [900, 900], price: 1800, refund: 200 },
  {
    who: 'three of four agree',
    outputs: ['a', 'b', 'a', 'a'],
    paid: [666, 666, 666],
    price: 2000,
    refund: 0,
  },
] as const)(
  'where $who, they are paid what is held and the deviant has evidence but no pay',
  async ({ outputs, paid, price, refund }) => {
    const { activities, reasons, balanceOf } = await engine();
    const job = jobWith(outputs);
    const [proven] = await activities['job.prove']({ job });
    expect(proven).toMatchObject({ type: 'job.proven', deviants: ['provider-1'] });
    const done = evolveJob(job, proven as JobEvent);
    const [settled] = await activities['job.settle']({ job: done });
    expect(settled).toMatchObject({ type: 'job.settled', price: `${price}`, refund: `${refund}` });
    if (settled?.type !== 'job.settled') return;
    expect(settled.payouts.map(({ amount }) => Number(amount))).toEqual(paid);
    expect(settled.payouts.map(({ providerId }) => providerId)).not.toContain('provider-1');
    expect(await reasons(1)).toEqual(['deviation']);
    expect(await reasons(0)).toEqual(['completed']);
    // Settled 39: a fraud takes the stake, half of it for the submitter, however often it is settled.
    await activities['job.settle']({ job: done });
    expect(await balanceOf(account.stake('provider-1'))).toBe('0');
    expect(await balanceOf(account.available('subject-s'))).toBe('5000');
    const [first] = members as readonly [Winner];
    // Those who outvoted it gain nothing: the half of members stays with what was slashed.
    expect(await balanceOf(account.available(first.owner))).toBe('0');
    expect(await balanceOf(account.slashed)).toBe('5000');

    const postings = movements(done, settled, 'job-1@9').flatMap((entry) => entry.postings);
    const of = (name: string): bigint =>
      postings.reduce((sum, { account: each, amount }) => sum + (each === name ? units(amount) : 0n), 0n);
    expect(of(account.escrow('auction-1'))).toBe(-2000n);
    expect(postings.reduce((sum, { amount }) => sum + units(amount), 0n)).toBe(0n);
    for (const { bidId } of members.slice(0, 2)) expect(of(account.deposit(bidId))).toBe(-1000n);
    // And the whole deposit, which is the submitter's.
    expect(of(account.available(first.owner))).toBe(1000n + BigInt(paid[0]));
    expect(of(account.available((members[1] as Winner).owner))).toBe(0n);
    expect(of(account.available('subject-s'))).toBe(BigInt(refund) + 1000n);
    expect(of(account.forfeits('job-1'))).toBe(0n);
  },
);

describe('settled 40: who ran a module that is too slow is paid for it by its submitter, and nobody is blamed', () => {
  const late = { outcome: 'time_limit', exitCode: null, trap: null } as const;
  /** A job of `winners` bought; `-` was late, and half of its fuel is what a result took. */
  const ranBy = (letters: string, winners: number): Job => {
    const outputs = Array.from(letters) as ('a' | 'b')[];
    const job = jobWith(outputs, fuelLimitOf(jobWith([])) / 2);
    return {
      ...job,
      winners,
      members: job.members.map(({ result, ...member }) => {
        if (!result || result.outputHash !== '-')
          return { ...member, result: result && { ...result, trap: null } };
        const { fuelUsed: _, ...rest } = result;
        return { ...member, result: { ...rest, ...late } };
      }),
    };
  };

  test.each([
    ['the only one', '-', 1, [900], 900],
    ['both of two', '--', 2, [900, 900], 1800],
    ['two of three, and the third that was faster is paid for its work', '--a', 3, [900, 900, 450], 2250],
  ] as const)('%s', async (_, letters, winners, paid, price) => {
    const { activities, reasons } = await engine();
    const job = ranBy(letters, winners);
    const [proven] = await activities['job.prove']({ job });
    expect(proven).toMatchObject({ type: 'job.proven', outcome: 'time_limit', deviants: [] });
    const done = evolveJob(job, proven as JobEvent);
    const [failed] = await activities['job.settle']({ job: done });
    expect(failed).toMatchObject({ type: 'job.failed', reason: 'TIME_LIMIT_EXCEEDED', price: `${price}` });
    if (failed?.type !== 'job.failed') return;
    expect(failed.payouts.map(({ amount }) => Number(amount)).toSorted((a, b) => b - a)).toEqual(paid);
    for (const index of [0, 1, 2]) expect(await reasons(index)).toEqual([]);
  });

  test('where the others were in time, it is paid as they are for the same work, and not blamed', async () => {
    const { activities, reasons } = await engine();
    const job = ranBy('-aa', 3);
    const [proven] = await activities['job.prove']({ job });
    const [settled] = await activities['job.settle']({ job: evolveJob(job, proven as JobEvent) });
    expect(settled).toMatchObject({ type: 'job.settled', price: '1350' });
    if (settled?.type !== 'job.settled') return;
    expect(settled.payouts.map(({ amount }) => amount)).toEqual(['450', '450', '450']);
    expect(await reasons(0)).toEqual([]);
    expect(await reasons(1)).toEqual(['completed']);
  });
});

test('two members that collude against an honest one gain nothing by its conviction', async () => {
  const { activities, balanceOf, tell, credit } = await engine();
  // The honest member has a stake, a deposit and a bond: everything that a fraud takes.
  await tell(1, { type: 'record-evidence', evidenceId: 'old', reason: 'refusal' }, 'old');
  await credit(1, requiredStake(1));
  await tell(1, { type: 'post-bond', amount: requiredStake(1), tRef: DEFAULT_T_REF }, 'bond');
  await tell(1, { type: 'take-chance', auctionId: 'auction-1', escrow: CEILING, over: null }, 'chance');
  const job = jobWith(['b', 'a', 'b']);
  const done = evolveJob(job, (await activities['job.prove']({ job }))[0] as JobEvent);
  const [settled] = await activities['job.settle']({ job: done });
  expect(await balanceOf(account.stake('provider-1'))).toBe('0');
  expect(await balanceOf(account.bond('provider-1'))).toBe('0');
  const colluders = [0, 2].map((index) => account.available((members[index] as Winner).owner));
  expect(await Promise.all(colluders.map(balanceOf))).toEqual(['0', '0']);
  const moved = movements(done, settled as JobEvent, 'job-1@9')
    .filter(({ kind }) => kind !== 'payment')
    .flatMap(({ postings }) => postings.filter(({ account: each }) => colluders.includes(each)));
  // Beside their pay, the deposit that the one of them had placed; what was slashed is the submitter's, and nobody's.
  expect(moved.map(({ amount }) => amount)).toEqual(['1000']);
  expect(await balanceOf(account.available('subject-s'))).toBe(String((10_000 + 100_000) / 2));
  expect(await balanceOf(account.slashed)).toBe(String((10_000 + 100_000) / 2));
});

test.each([
  { used: 'half of its work', part: 0.5, paid: 450 },
  { used: 'next to none of it', part: 0.001, paid: 45 },
])(
  'settled 45: a job that used $used pays $paid of 900 to each, and the rest returns',
  async ({ part, paid }) => {
    const { activities } = await engine();
    const job = jobWith(['a', 'a'], part * fuelLimitOf(jobWith([])));
    const done = evolveJob(job, (await activities['job.prove']({ job }))[0] as JobEvent);
    const [settled] = await activities['job.settle']({ job: done });
    expect(settled).toMatchObject({
      type: 'job.settled',
      payouts: [{ amount: `${paid}` }, { amount: `${paid}` }],
      price: `${2 * paid}`,
      refund: `${2000 - 2 * paid}`,
    });
  },
);

describe('settled 39, 40: a bond is forfeited by what its node brings about, and by nothing else', () => {
  const BOND = requiredStake(1);
  const [, , failing] = members as readonly [Winner, Winner, Winner];
  const settledWith = async (cause: FaultCause | undefined, wonIn = 'auction-1'): Promise<string[]> => {
    const { activities, balanceOf, tell, credit } = await engine();
    await credit(2, BOND);
    await tell(2, { type: 'record-evidence', evidenceId: 'old', reason: 'refusal' }, 'old');
    await tell(2, { type: 'post-bond', amount: BOND, tRef: DEFAULT_T_REF }, 'bond');
    await tell(2, { type: 'take-chance', auctionId: wonIn, escrow: CEILING, over: null }, 'chance');
    const failure: JobEvent = {
      type: 'job.member-failed',
      providerId: failing.providerId,
      owner: failing.owner,
      bidId: failing.bidId,
      enclaveId: enclaveIdOf('job-1', failing.providerId),
      fault: 'lost',
      ...(cause && { cause }),
      slashed: false,
      evidenceId: 'job-1@5',
      message: 'lost',
    };
    const job = evolveJob(jobWith(['a', 'a']), failure);
    const done = evolveJob(job, (await activities['job.prove']({ job }))[0] as JobEvent);
    // Settled twice it costs once.
    await activities['job.settle']({ job: done });
    await activities['job.settle']({ job: done });
    const [first, second] = members.map(({ owner }) => account.available(owner)) as [string, string];
    const accounts = [account.bond(failing.providerId), account.available('subject-s'), first, second];
    return Promise.all(accounts.map(balanceOf));
  };

  test.each([undefined, 'node'] as const)(
    'cause %s: half to the submitter, half to who delivered',
    async (cause) => {
      expect(BOND).toBe('100000');
      expect(await settledWith(cause)).toEqual(['0', '50000', '25000', '25000']);
    },
  );

  test.each(['engine', 'submitter', 'module'] as const)('cause %s: it stays', async (cause) => {
    expect(await settledWith(cause)).toEqual(['100000', '0', '0', '0']);
  });

  test('work that was won before the bond: it stays', async () => {
    expect(await settledWith('node', 'auction-2')).toEqual(['100000', '0', '0', '0']);
  });
});
