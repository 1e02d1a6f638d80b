import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it } from 'vitest';

const PRELOADED = new URL('./without-promise-stacks.ts', import.meta.url).href;
const SDK = createRequire(import.meta.url).resolve('@temporalio/worker/lib/workflow/vm-shared.js');

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aivillage-stacks-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Of a thread in which the SDK has hooked promises: whether it believes so, and how many of a hundred have a stack. */
const stacksIn = async (execArgv: readonly string[]): Promise<unknown> => {
  const program = join(folder, 'thread.cjs');
  await writeFile(
    program,
    `const vm = require('node:vm');
     const { parentPort } = require('node:worker_threads');
     const { globalHandlers } = require(${JSON.stringify(SDK)});
     globalHandlers.install();
     const promiseStackStore = { promiseToStack: new Map(), childToParent: new Map() };
     const activator = { promiseStackStore, info: { runId: 'run-1' } };
     const context = vm.createContext({ __TEMPORAL_ACTIVATOR__: activator });
     vm.runInContext('for (let n = 0; n < 100; n++) new Promise(() => {})', context);
     parentPort.postMessage([globalHandlers.promiseHookInstalled, promiseStackStore.promiseToStack.size]);`,
  );
  const thread = new Worker(pathToFileURL(program), { execArgv: [...execArgv] });
  const [said] = await once(thread, 'message');
  await thread.terminate();
  return said;
};

it('leaves the promises of a thread without stacks, and the SDK content', async () => {
  expect(await stacksIn([])).toEqual([true, 100]);
  expect(await stacksIn(['--import', PRELOADED])).toEqual([true, 0]);
});
