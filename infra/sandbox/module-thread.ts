import { writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { executeModule } from './execute-module.ts';
import { MODULE_STDERR_FD, type RunnerTask } from './protocol.ts';

/**
 * Program of the thread in which a metered module runs, once. A thread, because its stack can be made as large as the
 * counted stack needs.
 */

/** A blocking write of all bytes. */
const writeAll = (bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length; ) at += writeSync(MODULE_STDERR_FD, bytes, at);
};

// The listener also keeps the thread alive while the engine compiles on its own threads.
parentPort?.on('message', (task: RunnerTask) => {
  void executeModule(task, writeAll).then((end) => parentPort?.postMessage(end));
});
