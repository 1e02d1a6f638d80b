import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RecordedEvent } from '../../domain/event.ts';
import type { Job } from '../../domain/job/job.ts';
import { account, LEDGER_STREAM } from '../../domain/ledger/events.ts';
import { balanceOf, type Ledger, total } from '../../domain/ledger/fold.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { foldedState, foldStream } from '../../domain/registry.ts';
import { createClient } from '../../infra/cli/client/client.ts';
import { createTransport } from '../../infra/cli/client/transport.ts';
import { runJob } from '../../infra/cli/job/run-job.ts';
import { readLocalStack } from '../../infra/config/local-stack.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { runCli } from '../support/cli.ts';
import { removeHome } from '../support/home.ts';
import { sha256Of } from '../support/rest.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { stall } from '../support/stall.ts';
import { assembleTestModule } from '../workloads/assemble.ts';

/** Longer than three heartbeats, than a session's patience and than every heartbeat time-out of an activity. */
const STALL_MS = 20_000;
const BATCH_TIMEOUT_MS = 300_000;

let home: string;
let stack: Stack;
let store: EventStore;
const modules = new Map<string, Uint8Array<ArrayBuffer>>();

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aivillage-stalls-'));
  stack = await startStack(home);
  const local = readLocalStack(home);
  if (!local) throw new Error('the stack has no addresses');
  store = createPostgresEventStore({ url: local.databaseUrl, retryForMs: 60_000 });
  for (const name of ['busy', 'long']) modules.set(name, new Uint8Array(await assembleTestModule(name)));
});

afterAll(async () => {
  await store?.close();
  await stack?.stop();
  await removeHome(home);
});

interface Order {
  readonly tier: 'bronze' | 'gold';
  readonly workload: 'busy' | 'long';
  readonly auctionSeconds: number;
}

/** At the same moment one job is in the middle of its run, others launch, prove and settle, others take bids. */
const BATCH: readonly Order[] = [
  { tier: 'bronze', workload: 'long', auctionSeconds: 3 },
  { tier: 'gold', workload: 'busy', auctionSeconds: 3 },
  { tier: 'gold', workload: 'busy', auctionSeconds: 10 },
  { tier: 'bronze', workload: 'busy', auctionSeconds: 25 },
];

const submit = async ({ tier, workload, auctionSeconds }: Order): Promise<string> => {
  const transport = createTransport({ apiUrl: stack.apiUrl, apiKey: stack.apiKey });
  const { job_id } = await runJob(
    createClient(transport),
    {
      module: modules.get(workload) as Uint8Array<ArrayBuffer>,
      input: null,
      args: [],
      tier,
      requiredTops: 50,
      utilization: 0.8,
      // Enough of declared work for the fuel that the longest of them uses.
      durationSeconds: 9000,
      auctionSeconds,
      maxPriceMicro: null,
      memoryMb: 64,
      allowSimulated: true,
      wait: false,
    },
    () => undefined,
  );
  return job_id;
};

/** Resolves once the log, after a position, holds an event that each of `wanted` accepts. */
const follow = async (after: bigint, wanted: ((event: RecordedEvent) => boolean)[]): Promise<void> => {
  const signal = AbortSignal.timeout(BATCH_TIMEOUT_MS - STALL_MS);
  const missing = new Set(wanted);
  for await (const events of store.subscribe(after, signal)) {
    for (const event of events) for (const accepts of missing) if (accepts(event)) missing.delete(accepts);
    if (missing.size === 0) return;
  }
  throw new Error(`${missing.size} of the events never came`);
};

const hasStarted =
  (jobId: string) =>
  ({ stream, type }: RecordedEvent) =>
    stream === jobId && type === 'job.run-started';
const hasEnded =
  (jobId: string) =>
  ({ stream, type }: RecordedEvent) =>
    stream === jobId && (type === 'job.settled' || type === 'job.failed');

/** What a job came to, as far as its submitter and its nodes care. */
const outcomeOf = async (jobId: string) => {
  const events = await store.readStream(jobId);
  const folded = foldStream(jobId, events);
  const job = folded.context as Job;
  return {
    state: foldedState(folded),
    failure: job.failure,
    failed: job.failed.map(({ fault, message }) => ({ fault, message })),
    members: job.members.length,
    output: job.proven?.outputHash,
    deviants: job.proven?.deviants,
    sla: job.proven?.sla.verdict,
    price: events.at(-1)?.data['price'],
  };
};

const OUTPUT = sha256Of(new TextEncoder().encode('counted\n'));
let undisturbed: Awaited<ReturnType<typeof outcomeOf>>[];

const runBatch = async (disturb: () => Promise<void>) => {
  const { position } = await store.head();
  const jobIds = await Promise.all(BATCH.map(submit));
  await follow(position, [hasStarted(jobIds[0] as string)]);
  await disturb();
  await follow(position, jobIds.map(hasEnded));
  return { since: position, outcomes: await Promise.all(jobIds.map(outcomeOf)) };
};

test(
  'undisturbed, every job settles',
  async () => {
    ({ outcomes: undisturbed } = await runBatch(async () => undefined));
    const gold = { state: 'settled', failure: null, failed: [], members: 3, output: OUTPUT, sla: 'met' };
    expect(undisturbed).toMatchObject(
      BATCH.map(({ tier }) => ({ ...gold, members: tier === 'gold' ? 3 : 1 })),
    );
  },
  BATCH_TIMEOUT_MS,
);

test.each(['worker', 'api', 'projector', 'temporal', 'postgres'])(
  'a stall of the %s for 20 s changes no result and is nobody’s fault',
  async (name) => {
    const { since, outcomes } = await runBatch(async () => {
      const goOn = stall(stack.pids()[name] as number);
      // The stall itself: there is nothing to wait for but its end.
      await sleep(STALL_MS);
      goOn();
    });
    expect(outcomes).toEqual(undisturbed);
    const log = await store.readAll({ after: since, limit: 100_000 });
    const accusations = log.filter(
      ({ type, data }) =>
        type === 'provider.lost' ||
        (type === 'provider.evidence-recorded' && data['negative'] !== 0) ||
        (type === 'job.member-failed' && data['slashed'] === true),
    );
    expect(accusations.map(({ type, data }) => ({ type, ...data }))).toEqual([]);
    const ledger = foldStream(LEDGER_STREAM, await store.readStream(LEDGER_STREAM)).context as Ledger;
    expect(total(ledger)).toBe(0n);
    expect(balanceOf(ledger, account.slashed)).toBe(0n);
  },
  BATCH_TIMEOUT_MS,
);

test('after all of it the audit finds chain, replay, read models and ledger in order', async () => {
  await expect
    .poll(async () => JSON.parse((await runCli(home, ['audit', 'check', '--json'])).stdout), {
      timeout: 60_000,
      interval: 2_000,
    })
    .toMatchObject({ chain_ok: true, replay_ok: true, projections_ok: true, ledger_sum_micro: '0' });
});
