import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { REAL_STACK_MB } from '../../domain/metering/costs.ts';
import type { RunnerEnd, RunnerTask } from '../../infra/sandbox/protocol.ts';

/** The sandbox's thread without its processes, for tests that run many modules one after another. */
export const openMeteredThread = () => {
  const thread = new Worker(new URL('../../infra/sandbox/module-thread.ts', import.meta.url), {
    resourceLimits: { stackSizeMb: REAL_STACK_MB },
  });
  return {
    run: async (task: RunnerTask): Promise<RunnerEnd> => {
      thread.postMessage(task);
      const [end] = (await once(thread, 'message')) as [RunnerEnd];
      return end;
    },
    close: () => thread.terminate(),
  };
};
