import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kill } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RecordedEvent } from '../../domain/event.ts';
import { account, LEDGER_STREAM } from '../../domain/ledger/events.ts';
import { balanceOf, type Ledger, total } from '../../domain/ledger/fold.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { foldStream } from '../../domain/registry.ts';
import { readLocalStack } from '../../infra/config/local-stack.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { runCli } from '../support/cli.ts';
import { removeHome } from '../support/home.ts';
import { processesOf } from '../support/processes-of.ts';
import { createRest } from '../support/rest.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { type JobBody, SMALL_JOB, storeModule } from './support/jobs.ts';
import { createPatientClient, type PatientClient } from './support/patient-client.ts';

const PATIENCE = { timeout: 120_000, interval: 100 };
const TEST_TIMEOUT_MS = 900_000;
/** Everything that is restarted in turn, as a deployment does it: twice round. */
const TURNS = ['worker', 'worker-1', 'api', 'api-1', 'worker', 'worker-1', 'api', 'api-1'];
/** How many jobs are under way at any moment. */
const SUBMITTERS = 4;
/**
 * A task that Temporal was handing to a worker which stopped is missed after 10 s: an auction longer than that has bids all
 * the same. Different ones, so that a restart meets jobs in every state.
 */
const AUCTION_SECONDS = [12, 14, 16, 18];
/** Between two looks of somebody who looks on. */
const LOOK_MS = 100;
const QUOTE_QUERY = 'tier=silver&required_tops=10&utilization=0.8&duration_seconds=90';

let home: string;
let stack: Stack;
let store: EventStore;
let client: PatientClient;
let codeHash: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aivillage-rolling-'));
  stack = await startStack(home, {
    args: ['--workers', '2', '--apis', '2'],
    env: { RATE_LIMIT_AUTHENTICATED: '1000000' },
  });
  const local = readLocalStack(home);
  if (!local) throw new Error('the stack has no addresses');
  store = createPostgresEventStore({ url: local.databaseUrl, retryForMs: 60_000 });
  const identity = { 'X-API-Key': stack.apiKey };
  client = createPatientClient(stack.apiUrls, identity);
  codeHash = await storeModule(createRest(stack.apiUrl, identity), 'echo-args');
});

afterAll(async () => {
  await store?.close();
  await stack?.stop();
  await removeHome(home);
});

interface Submission {
  readonly key: string;
  readonly body: object;
  readonly jobId: string;
  readonly end: JobBody;
}

/** A small job of a tier, by a quote or by what a quote is made of, from submission to its end. */
const runOne = async (number: number, submitted: () => void): Promise<Submission> => {
  const { tier: _, required_tops, utilization, duration_seconds, ...rest } = SMALL_JOB;
  const priced = { tier: number % 2 ? 'silver' : 'bronze', required_tops, utilization, duration_seconds };
  const byQuote = async () => {
    const path = '/v1/fog/pricing/quote';
    const quoted = await client.ask<{ quote_id: string }>({ path, body: priced, key: randomUUID() });
    expect(quoted).toMatchObject({ status: 200 });
    return { quote_id: quoted.body.quote_id };
  };
  const terms = number % 3 ? priced : await byQuote();
  const auction_seconds = AUCTION_SECONDS[number % AUCTION_SECONDS.length];
  const body = { ...rest, ...terms, auction_seconds, code_hash: codeHash, args: [`${number}`] };
  const key = randomUUID();
  const accepted = await client.ask<{ job_id: string }>({ path: '/v1/fog/scheduler/submit', body, key });
  expect(accepted).toMatchObject({ status: 202 });
  submitted();
  const jobId = accepted.body.job_id;
  for (;;) {
    // An API that stops answers at once with the state at hand.
    const path = `/v1/fog/scheduler/status/${jobId}?wait_for=terminal&timeout=30`;
    const status = await client.ask<JobBody>({ path });
    expect(status).toMatchObject({ status: 200, body: { job_id: jobId } });
    const { state } = status.body;
    if (state === 'settled' || state === 'failed') return { key, body, jobId, end: status.body };
  }
};

/** Load without a pause until it is told to stop: jobs from submission to end, and whoever looks on. */
const startLoad = () => {
  const stopping = new AbortController();
  const submissions: Submission[] = [];
  let submitted = 0;
  let number = 0;
  const submitJobs = async (): Promise<void> => {
    while (!stopping.signal.aborted)
      submissions.push(
        await runOne(number++, () => {
          submitted += 1;
        }),
      );
  };
  const lookOn = async (): Promise<void> => {
    const paths = [`/v1/fog/pricing/quote?${QUOTE_QUERY}`, '/v1/fog/scheduler/queue', '/v1/system/info'];
    for (let at = 0; !stopping.signal.aborted; at++) {
      const path = paths[at % paths.length] as string;
      expect(await client.ask({ path }), path).toMatchObject({ status: 200 });
      await delay(LOOK_MS);
    }
  };
  const running = Promise.all([...Array.from({ length: SUBMITTERS }, submitJobs), lookOn()]);
  // Whoever waits for more load learns of its end from `stop`.
  running.catch(() => stopping.abort());
  return {
    /** Resolves when so many more jobs were submitted. */
    more: async (count: number): Promise<void> => {
      const before = submitted;
      const isMore = () => stopping.signal.aborted || submitted >= before + count;
      await expect.poll(isMore, PATIENCE).toBe(true);
      // A load that ended by itself has failed: here is why.
      if (stopping.signal.aborted) await running;
    },
    stop: async (): Promise<readonly Submission[]> => {
      stopping.abort();
      await running;
      return submissions;
    },
  };
};

/** Whether every API says that all of them are there and do their work: then a deployment goes on to the next. */
const isHealthy = async (): Promise<boolean> => {
  const reports = await Promise.all(
    stack.apiUrls.map(async (api) => {
      const response = await fetch(`${api}/v1/system/health`);
      const { components } = (await response.json()) as { components: Record<string, { status: string }> };
      return ['gateway', 'postgres', 'temporal', 'apis', 'workers'].map((name) => components[name]?.status);
    }),
  ).catch(() => [['down']]);
  return reports.flat().every((status) => status === 'ok');
};

const eventsSince = async (position: bigint): Promise<readonly RecordedEvent[]> => {
  const events: RecordedEvent[] = [];
  for (let after = position; ; ) {
    const page = await store.readAll({ after, limit: 1000 });
    const last = page.at(-1);
    if (!last) return events;
    after = last.position;
    events.push(...page);
  }
};

let jobsRun: readonly Submission[];
let since: bigint;

test(
  'two workers and two APIs are restarted in turn, twice: every job settles and every request gets its answer',
  async () => {
    await expect.poll(isHealthy, PATIENCE).toBe(true);
    since = (await store.head()).position;
    const load = startLoad();
    await load.more(SUBMITTERS);
    for (const name of TURNS) {
      const back = stack.waitFor(new RegExp(`^${name} is up again`, 'm'), { fromNow: true });
      kill(stack.pids()[name] as number, 'SIGTERM');
      await back;
      await expect.poll(isHealthy, PATIENCE).toBe(true);
    }
    await load.more(SUBMITTERS);
    jobsRun = await load.stop();

    expect(client.lost).toEqual([]);
    const unsettled = jobsRun.filter(({ end }) => end.state !== 'settled' || end.failed_members.length > 0);
    expect(unsettled.map(({ end }) => end)).toEqual([]);
    expect(stack.output()).not.toMatch(/was killed by/);
  },
  TEST_TIMEOUT_MS,
);

test(
  'each key made exactly one job, and still tells of it at both APIs',
  async () => {
    for (const { key, body, jobId } of jobsRun) {
      for (const api of stack.apiUrls) {
        const rest = createRest(api, { 'X-API-Key': stack.apiKey });
        const { status, body: again } = await rest.post('/v1/fog/scheduler/submit', body, key);
        expect({ status, again }).toMatchObject({ status: 202, again: { job_id: jobId } });
      }
    }
    const submitted = (await eventsSince(since)).filter(({ type }) => type === 'job.submitted');
    expect(submitted.map(({ stream }) => stream).toSorted()).toEqual(
      jobsRun.map(({ jobId }) => jobId).toSorted(),
    );
  },
  TEST_TIMEOUT_MS,
);

test('nobody is accused, nobody is slashed, and no money is left between accounts', async () => {
  const accusations = (await eventsSince(since)).filter(
    ({ type, data }) =>
      type === 'provider.lost' ||
      type === 'job.member-failed' ||
      (type === 'provider.evidence-recorded' && data['negative'] !== 0),
  );
  expect(accusations.map(({ type, data }) => ({ type, ...data }))).toEqual([]);
  const ledger = foldStream(LEDGER_STREAM, await store.readStream(LEDGER_STREAM)).context as Ledger;
  expect(total(ledger)).toBe(0n);
  expect(balanceOf(ledger, account.slashed)).toBe(0n);
  expect(Object.keys(ledger.balances).filter((name) => /^(deposit|escrow):/.test(name))).toEqual([]);
});

test('the audit finds chain, replay, read models and ledger in order', async () => {
  await expect
    .poll(async () => JSON.parse((await runCli(home, ['audit', 'check', '--json'])).stdout), {
      timeout: 120_000,
      interval: 2_000,
    })
    .toMatchObject({ chain_ok: true, replay_ok: true, projections_ok: true, ledger_sum_micro: '0' });
});

test('no process of the stack outlives it', async () => {
  await store.close();
  const running = processesOf(home);
  expect(running).toEqual(expect.arrayContaining(['worker', 'worker-1'].map((name) => stack.pids()[name])));
  expect(await stack.stop()).toBe(0);
  expect(processesOf(home)).toEqual([]);
});
