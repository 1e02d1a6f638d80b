import { setTimeout as delay } from 'node:timers/promises';
import type { Figures } from '../measurement.ts';
import { type Kinds, minus, per, totalOf } from './cpu-by-kind.ts';
import { figuresOf } from './figures.ts';
import type { JobRun, JobTier, RunJobs } from './job-run.ts';

/** How long it is watched with nothing to do, before each measurement. */
const IDLE_MS = 5000;
/** How long it is left alone afterwards: what a job causes is done by then. */
const REST_MS = 2000;
/** Jobs until V8 has compiled what it compiles, in groups. */
const WARM_UP = [2, 6, 6];

/**
 * What jobs cost.
 * @param used CPU seconds so far of all processes that take part
 */
export const openMeter = async (used: () => Kinds, run: RunJobs) => {
  const during = async <T>(work: () => Promise<T>) => {
    const [before, from] = [used(), performance.now()];
    const result = await work();
    return { cpu: minus(used(), before), seconds: (performance.now() - from) / 1000, result };
  };
  /** CPU seconds a second with nothing to do: the least that was seen, for all that disturbs it adds to it. */
  let idle: Kinds | null = null;
  const watchIdle = async (): Promise<Kinds> => {
    const { cpu, seconds } = await during(() => delay(IDLE_MS));
    const rates = per(cpu, seconds);
    if (idle === null || totalOf(rates) < totalOf(idle)) idle = rates;
    return idle;
  };

  let jobs = 0;
  const runAll = async (tier: JobTier, turns: number, atOnce: number): Promise<JobRun[]> => {
    const runs: JobRun[] = [];
    for (let turn = 0; turn < turns; turn++) runs.push(...(await run(tier, atOnce)));
    jobs += runs.length;
    return runs;
  };

  for (const atOnce of WARM_UP) await runAll('silver', 1, atOnce);
  await delay(REST_MS);

  return {
    /** Turns of so many jobs at once. CPU is counted beyond what is used with nothing to do. */
    measure: async (tier: JobTier, turns: number, atOnce: number): Promise<Figures> => {
      const rates = await watchIdle();
      let seconds = Number.NaN;
      const busy = await during(async () => {
        const working = await during(() => runAll(tier, turns, atOnce));
        ({ seconds } = working);
        await delay(REST_MS);
        return working.result;
      });
      return figuresOf({
        runs: busy.result,
        seconds,
        cpu: minus(busy.cpu, rates, busy.seconds),
      });
    },
    /** Runs jobs until there were `count` of them, failed ones too, some at once. @returns how many there were. */
    reach: async (count: number, atOnce: number): Promise<number> => {
      while (jobs < count) await runAll('silver', 1, Math.min(atOnce, count - jobs));
      return jobs;
    },
  };
};

export type Meter = Awaited<ReturnType<typeof openMeter>>;
