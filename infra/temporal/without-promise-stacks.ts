import { promiseHooks } from 'node:v8';
import { isMainThread } from 'node:worker_threads';

/**
 * A worker's processes begin with this (`--import`), its threads too. Temporal notes where each promise of a workflow was
 * made, a fifth of what a turn costs, to answer the query `__stack_trace` with it: of a lifecycle, which always waits at the
 * same place (`Host.run`), nobody needs to ask that. Its SDK has no option for it, but goes on without such hooks.
 */
if (!isMainThread) promiseHooks.createHook = () => () => undefined;
