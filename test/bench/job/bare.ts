import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { cpuSecondsOf } from '../../support/process-tree.ts';
import type { BareOrder } from '../bare/job/worker.ts';
import { temporaryServers } from '../temporary.ts';
import type { Kinds } from './cpu-by-kind.ts';
import { AUCTION_SECONDS, type RunJobs } from './job-run.ts';
import { type Meter, openMeter } from './meter.ts';

const WORKER = join(import.meta.dirname, '..', 'bare', 'job', 'worker.ts');
const MEMBERS = { silver: 2, gold: 3 } as const;

type Answer = 'ready' | { readonly took: readonly number[] } | { readonly failure: string };

/** What a bare order leaves to the caller. */
type Order = Omit<BareOrder, 'shape'>;

/** A bare Temporal that runs jobs of a shape. */
export interface Bare {
  /** `host:port` of its server. */
  readonly address: string;
  /** Runs jobs at once: how long each took beyond its auction, ms. */
  run(order: Order): Promise<readonly number[]>;
  /** CPU seconds so far, by kind of process. */
  used(): Kinds;
}

/**
 * A development server as a stack starts it, and a process that is worker and client: both go with `started`.
 * @throws when a job fails: nothing is there that a job could fail by
 */
export const startBare = async (started: AsyncDisposableStack, shape: BareOrder['shape']): Promise<Bare> => {
  const server = await (await temporaryServers(started)).temporal();
  const worker = fork(WORKER, [server.address], { execArgv: ['--single-threaded-gc', '--no-warnings'] });
  const exited = once(worker, 'exit');
  started.defer(async () => {
    if (worker.connected) worker.disconnect();
    await exited;
  });
  const answer = async (): Promise<Answer> => {
    const ended = exited.then(([code]) => {
      throw new Error(`the bare worker ended with code ${String(code)}`);
    });
    const [said] = (await Promise.race([once(worker, 'message'), ended])) as [Answer];
    return said;
  };
  await answer();
  return {
    address: server.address,
    run: async (order) => {
      worker.send({ shape, ...order } satisfies BareOrder);
      const said = await answer();
      if (said === 'ready' || 'failure' in said)
        throw new Error(`a bare job failed: ${JSON.stringify(said)}`);
      return said.took;
    },
    used: () => ({ temporal: cpuSecondsOf(server.pid), worker: cpuSecondsOf(worker.pid as number) }),
  };
};

/** The same, measured as a stack is. */
export const openBare = async (started: AsyncDisposableStack, shape: BareOrder['shape']): Promise<Meter> => {
  const bare = await startBare(started, shape);
  const run: RunJobs = async (tier, atOnce) => {
    const took = await bare.run({ atOnce, members: MEMBERS[tier], auctionSeconds: AUCTION_SECONDS });
    return took.map((beyondAuctionMs) => ({ submitMs: Number.NaN, beyondAuctionMs, failure: null }));
  };
  return openMeter(bare.used, run);
};
