import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeHome } from '../support/home.ts';
import { startStack } from '../support/stack.ts';
import { jobMeasurements, type Side } from './cases/job.ts';
import type { CaseResult, OpenSuite, RunOptions, Suite } from './harness.ts';
import { openBare } from './job/bare.ts';
import { cpuByKind } from './job/cpu-by-kind.ts';
import { memoryFigures } from './job/memory.ts';
import { openMeter } from './job/meter.ts';
import { stackJobs } from './job/stack-jobs.ts';
import { runMeasurement } from './measurement.ts';
import { opened } from './temporary.ts';

/** Jobs at once while a stack is filled. */
const FILLING = 10;

const openSide = async (started: AsyncDisposableStack, root?: string): Promise<Side> => {
  const home = await mkdtemp(join(tmpdir(), 'aivillage-bench-'));
  started.defer(() => removeHome(home));
  const stack = await startStack(home, root === undefined ? {} : { root });
  started.defer(async () => void (await stack.stop()));
  const meter = await openMeter(() => cpuByKind(stack), await stackJobs(stack, root));
  return { ...meter, memory: async (jobs) => memoryFigures(stack, await meter.reach(jobs, FILLING)) };
};

/** Starts what the cases that are asked for need, and measures them. */
async function* measured(
  started: AsyncDisposableStack,
  against: string | null,
  { rounds, only, jobs = 0 }: RunOptions,
): AsyncIterable<CaseResult> {
  const asked = (name: string): boolean => only.length === 0 || only.includes(name);
  const withBare = only.length === 0 || only.some((name) => name.endsWith('-shape'));
  const sides = {
    ours: await openSide(started),
    against: against === null ? null : await openSide(started, against),
    bare: withBare ? { old: await openBare(started, 'old'), lean: await openBare(started, 'lean') } : null,
  };
  for (const measurement of jobMeasurements(sides, jobs)) {
    const cases = measurement.cases.filter(({ name }) => asked(name));
    if (cases.length > 0) yield* await runMeasurement({ ...measurement, cases }, rounds);
  }
}

const open = (against: string | null): Promise<OpenSuite> =>
  opened(async (started) => ({
    cases: [],
    measured: (options: RunOptions) => measured(started, against, options),
  }));

/** A whole local stack, with all of its processes; beside it one of another checkout, and bare Temporal. */
export const suite: Suite = { name: 'job', minRounds: 3, open };
