import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeHome } from '../support/home.ts';
import { startStack } from '../support/stack.ts';
import { jobCases } from './cases/job.ts';
import type { OpenSuite, Suite } from './harness.ts';

const open = async (against: string | null): Promise<OpenSuite> => {
  const started = new AsyncDisposableStack();
  const start = async (root?: string) => {
    const home = await mkdtemp(join(tmpdir(), 'aivillage-bench-'));
    started.defer(() => removeHome(home));
    const stack = await startStack(home, root === undefined ? {} : { root });
    started.defer(async () => void (await stack.stop()));
    return stack;
  };
  try {
    const ours = await start();
    const baseline = against === null ? null : await start(against);
    return { cases: await jobCases(ours, baseline), close: () => started.disposeAsync() };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
};

/** A whole local stack, with all of its processes, and beside it one of another checkout. Lower is better. */
export const suite: Suite = { name: 'job', open };
