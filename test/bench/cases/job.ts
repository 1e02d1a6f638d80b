import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '../../../infra/cli/client/client.ts';
import { createTransport } from '../../../infra/cli/client/transport.ts';
import { runJob } from '../../../infra/cli/job/run-job.ts';
import { cpuSecondsOf, memoryOf } from '../../support/process-tree.ts';
import type { Stack } from '../../support/stack.ts';
import type { Case, Timed } from '../harness.ts';

const AUCTION_SECONDS = 5;
/** Jobs of one measurement, one after the other. */
const IN_TURN = 2;
const AT_ONCE = 6;
/** How long the stack is watched with nothing to do, and left with it: what a job causes is done by then. */
const IDLE_MS = 3000;
const REST_MS = 2000;
const MIB = 2 ** 20;

const workload = (name: string) => readFile(new URL(`../../../infra/workloads/${name}`, import.meta.url));

/** What jobs cost on one stack. */
const meterOf = async (stack: Stack) => {
  const [module, input] = await Promise.all([workload('word-count.wasm'), workload('sample.txt')]);
  const client = createClient(createTransport({ apiUrl: stack.apiUrl, apiKey: stack.apiKey }));

  /** Runs a job of two members to its end; answers with the time it took beyond its auction, ms. */
  const job = async (): Promise<number> => {
    let submittedAt = 0;
    const { state, reason } = await runJob(
      client,
      {
        module: new Uint8Array(module),
        input: new Uint8Array(input),
        args: [],
        tier: 'silver',
        requiredTops: 500,
        utilization: 0.8,
        durationSeconds: 60,
        auctionSeconds: AUCTION_SECONDS,
        maxPriceMicro: null,
        memoryMb: null,
        allowSimulated: true,
        wait: true,
      },
      ({ type }) => {
        if (type === 'submitted') submittedAt = performance.now();
      },
    );
    if (state !== 'settled') throw new Error(`a job ended as ${state}: ${reason}`);
    return performance.now() - submittedAt - AUCTION_SECONDS * 1000;
  };

  const cpuDuring = async (work: () => Promise<unknown>): Promise<{ cpu: number; seconds: number }> => {
    const [before, from] = [cpuSecondsOf(stack.pid), performance.now()];
    await work();
    return { cpu: cpuSecondsOf(stack.pid) - before, seconds: (performance.now() - from) / 1000 };
  };

  /** CPU seconds of one job beyond what the stack uses with nothing to do; on the clock, its time beyond the auction. */
  const measure = async (turns: number, atOnce: number): Promise<Timed> => {
    const latencies: number[] = [];
    const idle = await cpuDuring(() => delay(IDLE_MS));
    const busy = await cpuDuring(async () => {
      for (let turn = 0; turn < turns; turn++)
        latencies.push(...(await Promise.all(Array.from({ length: atOnce }, job))));
      await delay(REST_MS);
    });
    return {
      value: (busy.cpu - (idle.cpu / idle.seconds) * busy.seconds) / latencies.length,
      wallMs: latencies.reduce((sum, each) => sum + each, 0) / latencies.length,
    };
  };

  return {
    inTurn: () => measure(IN_TURN, 1),
    atOnce: () => measure(1, AT_ONCE),
    memory: async () => memoryOf(stack.pid) / MIB,
  };
};

/** CPU of a silver job over all processes of the stack, alone and six at once, and the stack's memory after them. */
export const jobCases = async (stack: Stack, other: Stack | null): Promise<Case[]> => {
  const ours = await meterOf(stack);
  const baseline = other && (await meterOf(other));
  const caseOf = (name: string, unit: string, figure: keyof typeof ours): Case => ({
    name,
    unit,
    ours: ours[figure],
    baseline: baseline && baseline[figure],
  });
  return [
    caseOf('job-silver-cpu', 'CPU s per job', 'inTurn'),
    caseOf('job-silver-cpu-at-once', 'CPU s per job', 'atOnce'),
    caseOf('stack-memory', 'MiB', 'memory'),
  ];
};
