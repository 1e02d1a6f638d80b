import { quantile, timed } from '../harness.ts';
import type { Figures } from '../measurement.ts';
import { type Kinds, per, totalOf } from './cpu-by-kind.ts';
import type { JobRun } from './job-run.ts';

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** How many jobs failed, by reason. */
const failures = (runs: readonly JobRun[]): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const { failure } of runs)
    if (failure !== null) counts[`failed: ${failure}`] = (counts[`failed: ${failure}`] ?? 0) + 1;
  return counts;
};

/** What was measured: jobs, how long they took together, and the CPU seconds that they cost. */
export interface Measured {
  readonly runs: readonly JobRun[];
  readonly seconds: number;
  readonly cpu: Kinds;
}

/**
 * `cpu`: CPU seconds of a settled job, by kind of process; `latency`: ms beyond the auction; `throughput`: settled jobs a
 * second. What failed costs, too: it makes those that settled dearer. NaN where none has settled.
 */
export const figuresOf = ({ runs, seconds, cpu }: Measured): Figures => {
  const settled = runs.filter(({ failure }) => failure === null);
  const failed = failures(runs);
  const each = per(cpu, settled.length);
  const latencies = settled.map(({ beyondAuctionMs }) => beyondAuctionMs);
  const submits = runs.map(({ submitMs }) => submitMs).filter((ms) => !Number.isNaN(ms));
  return {
    cpu: { ...timed(totalOf(each)), parts: { ...each, ...failed } },
    latency: { ...timed(mean(latencies)), parts: { 'p95 ms': quantile(latencies, 0.95), ...failed } },
    throughput: {
      ...timed(settled.length / seconds),
      parts: {
        settled: settled.length,
        failed: runs.length - settled.length,
        ...failed,
        'submit p50 ms': quantile(submits, 0.5),
        'submit p95 ms': quantile(submits, 0.95),
        'beyond the auction p95 ms': quantile(latencies, 0.95),
        'CPU s per job': totalOf(each),
      },
    },
  };
};
