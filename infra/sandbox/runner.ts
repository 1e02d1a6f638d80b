import { Worker } from 'node:worker_threads';
import { REAL_STACK_MB } from '../../domain/metering/costs.ts';
import { executeModule } from './execute-module.ts';
import { writeModuleStderr } from './module-stderr.ts';
import { programUrl } from './program-url.ts';
import { heapMbOf, type RunnerEnd, type RunnerMessage, type RunnerTask } from './protocol.ts';

/**
 * Program of the process in which a module runs, once. Its parent, the enclave process, holds the key and the clock. Its
 * arguments are the most memory of the module, MiB, and where it runs: in the `main` thread, whose stack the parent made
 * large enough, or in a `thread` apart, which takes as long again to start.
 */
const [memoryMb, place] = process.argv.slice(2);

const send = (message: RunnerMessage, then?: () => void): void => {
  process.send?.(message, () => then?.());
};
// An enclave process that dies while this one starts is too early for the kernel's signal.
const orphaned = (): void => process.exit();
process.once('disconnect', orphaned);
const finish = (message: RunnerMessage): void =>
  send(message, () => {
    process.removeListener('disconnect', orphaned);
    process.disconnect();
  });
const ended = (end: RunnerEnd): void => finish({ type: 'ended', end });
const failed = (error: unknown): void => finish({ type: 'failed', message: String(error) });

const runInThread = (): void => {
  const thread = new Worker(programUrl('module-thread'), {
    resourceLimits: { stackSizeMb: REAL_STACK_MB, maxOldGenerationSizeMb: heapMbOf(Number(memoryMb)) },
  });
  thread.once('message', ended);
  thread.once('error', failed);
  process.once('message', (task: RunnerTask) => thread.postMessage(task));
  // The time of a run begins when everything is there to begin it.
  thread.once('online', () => send({ type: 'booted' }));
};

const runHere = (): void => {
  process.once(
    'message',
    (task: RunnerTask) => void executeModule(task, writeModuleStderr).then(ended, failed),
  );
  send({ type: 'booted' });
};

if (place === 'thread') runInThread();
else runHere();
