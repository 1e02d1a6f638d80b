import { parentPort } from 'node:worker_threads';
import { executeModule } from './execute-module.ts';
import { writeModuleStderr } from './module-stderr.ts';
import type { RunnerTask } from './protocol.ts';

/** Program of the thread in which a metered module runs, once, where the main thread's stack cannot be made large enough. */

// The listener also keeps the thread alive while the engine compiles on its own threads.
parentPort?.on('message', (task: RunnerTask) => {
  void executeModule(task, writeModuleStderr).then((end) => parentPort?.postMessage(end));
});
