import { createHash } from 'node:crypto';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { REAL_STACK_MB } from '../../domain/metering/costs.ts';
import { executeModule } from '../../infra/sandbox/execute-module.ts';
import type { RunnerTask } from '../../infra/sandbox/protocol.ts';
import type { Asked, Seen } from './states.ts';

/** Program of a process that runs tasks again and again, on a stack like the sandbox’s, and tells what it saw. */

const fingerprint = async (task: RunnerTask): Promise<string> => {
  const stderr = createHash('sha256');
  const { cpuMs: _, output, ...facts } = await executeModule(task, (bytes) => void stderr.update(bytes));
  const outputHash = createHash('sha256').update(output).digest('hex');
  return JSON.stringify({ ...facts, outputHash, stderr: stderr.digest('hex') });
};

const runAll = async ({ tasks, runs }: Asked): Promise<Seen> => {
  const seen: string[][] = [];
  for (const task of tasks) {
    const different = new Set<string>();
    for (let run = 0; run < runs; run++) different.add(await fingerprint(task));
    seen.push([...different]);
  }
  return seen;
};

if (isMainThread) {
  const thread = new Worker(new URL(import.meta.url), { resourceLimits: { stackSizeMb: REAL_STACK_MB } });
  process.once('message', (asked) => thread.postMessage(asked));
  thread.once('message', (seen) => process.send?.(seen));
} else {
  // The listener also keeps the thread alive while the engine compiles on its own threads.
  parentPort?.on('message', (asked: Asked) => {
    void runAll(asked).then((seen) => parentPort?.postMessage(seen));
  });
}
