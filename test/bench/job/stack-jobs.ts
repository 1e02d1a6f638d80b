import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type * as Clients from '../../../infra/cli/client/client.ts';
import type * as Transports from '../../../infra/cli/client/transport.ts';
import type * as Jobs from '../../../infra/cli/job/run-job.ts';
import type { Stack } from '../../support/stack.ts';
import { AUCTION_SECONDS, type JobRun, type JobTier, type RunJobs } from './job-run.ts';

const ROOT = resolve(import.meta.dirname, '..', '..', '..');

/** Long enough for a crowd on a slow machine. */
const MAX_WAIT_SECONDS = 900;

const workload = (name: string) => readFile(join(ROOT, 'infra', 'workloads', name));

/** The command line's own client, of the checkout that the stack is of: each speaks to its own API. */
const clientOf = async (root: string) => {
  const load = (path: string): Promise<unknown> => import(join(root, 'infra', 'cli', path));
  const { createClient } = (await load('client/client.ts')) as typeof Clients;
  const { createTransport } = (await load('client/transport.ts')) as typeof Transports;
  const { runJob } = (await load('job/run-job.ts')) as typeof Jobs;
  return { createClient, createTransport, runJob };
};

/** Runs jobs of the word-count program on a stack. `root`: its checkout, when that is another one. */
export const stackJobs = async (stack: Stack, root = ROOT): Promise<RunJobs> => {
  const { createClient, createTransport, runJob } = await clientOf(root);
  const [module, input] = await Promise.all([workload('word-count.wasm'), workload('sample.txt')]);
  const client = createClient(createTransport({ apiUrl: stack.apiUrl, apiKey: stack.apiKey }));

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
        // What cannot wait for room ignores it.
        maxWaitSeconds: MAX_WAIT_SECONDS,
      };
      const { state, reason } = await runJob(client, options, ({ type }) => {
        if (type === 'uploaded' || type === 'submitted') at[type] = performance.now();
      });
      return state === 'settled' ? null : (reason ?? state);
    };
    // A refusal is a figure, too; its first line says which.
    const failure = await run().catch(({ message }: Error) => message.replace(/\n[^]*/, ''));
    const submittedAt = at.submitted ?? Number.NaN;
    return {
      submitMs: submittedAt - (at.uploaded ?? Number.NaN),
      beyondAuctionMs: performance.now() - submittedAt - AUCTION_SECONDS * 1000,
      failure,
    };
  };

  return (tier, atOnce) => Promise.all(Array.from({ length: atOnce }, () => job(tier)));
};
