import { Worker } from 'node:worker_threads';
import { REAL_STACK_MB } from '../../domain/metering/costs.ts';
import { heapMbOf, type RunnerEnd, type RunnerMessage, type RunnerTask } from './protocol.ts';

/**
 * Program of the process in which a module runs, once. Its parent, the enclave process, holds the key and the clock. Its
 * argument is the most memory of the module, MiB.
 */

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

const thread = new Worker(new URL('./module-thread.ts', import.meta.url), {
  resourceLimits: { stackSizeMb: REAL_STACK_MB, maxOldGenerationSizeMb: heapMbOf(Number(process.argv[2])) },
});
thread.once('message', (end: RunnerEnd) => finish({ type: 'ended', end }));
thread.once('error', (error) => finish({ type: 'failed', message: String(error) }));
process.once('message', (task: RunnerTask) => thread.postMessage(task));
// The time of a run begins when everything is there to begin it.
thread.once('online', () => send({ type: 'booted' }));
