import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeHome } from '../support/home.ts';
import { startStack } from '../support/stack.ts';
import { jobMeasurements } from './cases/job.ts';
import type { CaseResult, OpenSuite, RunOptions, Suite } from './harness.ts';
import { type Meter, openMeter } from './job/meter.ts';
import { type Measurement, runMeasurement } from './measurement.ts';

/** Jobs until V8 has compiled what it compiles, in groups. */
const WARM_UP = [2, 6, 6];

const warmUp = async (meter: Meter): Promise<void> => {
  for (const atOnce of WARM_UP) await meter.jobs('silver', atOnce);
};

async function* measured(
  measurements: readonly Measurement[],
  { rounds, only }: RunOptions,
): AsyncIterable<CaseResult> {
  const wanted = ({ name }: { readonly name: string }): boolean => only.length === 0 || only.includes(name);
  for (const measurement of measurements.filter(({ cases }) => cases.some(wanted)))
    yield* (await runMeasurement(measurement, rounds)).filter(wanted);
}

const open = async (against: string | null): Promise<OpenSuite> => {
  const started = new AsyncDisposableStack();
  const start = async (root?: string): Promise<Meter> => {
    const home = await mkdtemp(join(tmpdir(), 'aivillage-bench-'));
    started.defer(() => removeHome(home));
    const stack = await startStack(home, root === undefined ? {} : { root });
    started.defer(async () => void (await stack.stop()));
    const meter = await openMeter(stack, root);
    await warmUp(meter);
    return meter;
  };
  try {
    const sides = { ours: await start(), against: against === null ? null : await start(against) };
    return {
      cases: [],
      measured: (options) => measured(jobMeasurements(sides), options),
      close: () => started.disposeAsync(),
    };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
};

/** A whole local stack, with all of its processes, and beside it one of another checkout. Lower is better. */
export const suite: Suite = { name: 'job', minRounds: 3, open };
