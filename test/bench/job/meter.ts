import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type * as Clients from '../../../infra/cli/client/client.ts';
import type * as Transports from '../../../infra/cli/client/transport.ts';
import type * as Jobs from '../../../infra/cli/job/run-job.ts';
import type { Stack } from '../../support/stack.ts';
import type { Figures } from '../measurement.ts';
import { cpuByKind, type Kinds, minus, perJob, totalOf } from './cpu-by-kind.ts';

const ROOT = resolve(import.meta.dirname, '..', '..', '..');
const AUCTION_SECONDS = 5;
/** How long the stack is watched with nothing to do, and left with it: what a job causes is done by then. */
const IDLE_MS = 3000;
const REST_MS = 2000;

export type JobTier = 'silver' | 'gold';

/** How a job went. */
export interface JobRun {
  /** From the start of the call that submits it to its answer; NaN when there was none. */
  readonly submitMs: number;
  /** From the submission to the end that its submitter saw, beyond the auction. */
  readonly beyondAuctionMs: number;
  /** Why it was refused or failed; null when it settled. */
  readonly failure: string | null;
}

const workload = (name: string) => readFile(new URL(`../../../infra/workloads/${name}`, import.meta.url));

/** The command line's own client, of the checkout that the stack is of: each speaks to its own API. */
const clientOf = async (root: string) => {
  const load = (path: string): Promise<unknown> => import(join(root, 'infra', 'cli', path));
  const { createClient } = (await load('client/client.ts')) as typeof Clients;
  const { createTransport } = (await load('client/transport.ts')) as typeof Transports;
  const { runJob } = (await load('job/run-job.ts')) as typeof Jobs;
  return { createClient, createTransport, runJob };
};

/** Runs jobs on a stack and tells what they cost. `root`: its checkout, when that is another one. */
export const openMeter = async (stack: Stack, root = ROOT) => {
  const { createClient, createTransport, runJob } = await clientOf(root);
  const [module, input] = await Promise.all([workload('word-count.wasm'), workload('sample.txt')]);
  const client = createClient(createTransport({ apiUrl: stack.apiUrl, apiKey: stack.apiKey }));

  /** Runs a job to its end. */
  const job = async (tier: JobTier): Promise<JobRun> => {
    const at: Partial<Record<'uploaded' | 'submitted', number>> = {};
    const run = async (): Promise<string | null> => {
      const options = {
        module: new Uint8Array(module),
        input: new Uint8Array(input),
        args: [],
        tier,
        requiredTops: 500,
        utilization: 0.8,
        durationSeconds: 60,
        auctionSeconds: AUCTION_SECONDS,
        maxPriceMicro: null,
        memoryMb: null,
        allowSimulated: true,
        wait: true,
      };
      const { state, reason } = await runJob(client, options, ({ type }) => {
        if (type === 'uploaded' || type === 'submitted') at[type] = performance.now();
      });
      return state === 'settled' ? null : (reason ?? state);
    };
    // A refusal is a figure, too.
    const failure = await run().catch((error: Error) => error.message);
    const submittedAt = at.submitted ?? Number.NaN;
    return {
      submitMs: submittedAt - (at.uploaded ?? Number.NaN),
      beyondAuctionMs: performance.now() - submittedAt - AUCTION_SECONDS * 1000,
      failure,
    };
  };

  const jobs = (tier: JobTier, atOnce: number): Promise<JobRun[]> =>
    Promise.all(Array.from({ length: atOnce }, () => job(tier)));

  const during = async <T>(work: () => Promise<T>) => {
    const [before, from] = [cpuByKind(stack), performance.now()];
    const result = await work();
    return { cpu: minus(cpuByKind(stack), before), seconds: (performance.now() - from) / 1000, result };
  };

  /** CPU seconds of one job beyond what the stack uses with nothing to do, and its time beyond the auction. */
  const measure = async (tier: JobTier, turns: number, atOnce: number): Promise<Figures> => {
    const idle = await during(() => delay(IDLE_MS));
    const busy = await during(async () => {
      const runs: JobRun[] = [];
      for (let turn = 0; turn < turns; turn++) runs.push(...(await jobs(tier, atOnce)));
      await delay(REST_MS);
      return runs;
    });
    const settled = busy.result.filter(({ failure }) => failure === null);
    const failed = failures(busy.result);
    if (settled.length === 0) throw new Error(`no job settled: ${JSON.stringify(failed)}`);
    const share = busy.seconds / idle.seconds;
    const cpu: Kinds = perJob(minus(busy.cpu, idle.cpu, share), settled.length);
    const latencies = settled.map(({ beyondAuctionMs }) => beyondAuctionMs);
    return {
      cpu: { value: totalOf(cpu), wallMs: Number.NaN, parts: { ...cpu, ...failed } },
      latency: { value: mean(latencies), wallMs: Number.NaN, parts: failed },
    };
  };

  return { jobs, measure };
};

export type Meter = Awaited<ReturnType<typeof openMeter>>;

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** How many jobs failed, by reason. */
export const failures = (runs: readonly JobRun[]): Readonly<Record<string, number>> => {
  const byReason = Object.groupBy(
    runs.flatMap(({ failure }) => (failure === null ? [] : [failure])),
    (failure) => `failed: ${failure}`,
  );
  return Object.fromEntries(Object.entries(byReason).map(([reason, all]) => [reason, all?.length ?? 0]));
};
