import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Result, reject } from '../../domain/errors.ts';
import type { Metering } from '../../domain/ports/metered-modules.ts';
import { INSPECTION_HEAP_MB } from './spawn.ts';

/** Inspects a module, which is read when its turn comes, and says what runs in its place; a refusal names `module` and each rule. */
export type Inspection = (wasm: Uint8Array | (() => Promise<Uint8Array>)) => Promise<Result<Metering>>;

/** Less than nodes have for the same work: what is taken here must not fail there. */
const LIMIT_MS = 20_000;
const HEAP_MB = INSPECTION_HEAP_MB / 2;

const inspect = async (wasm: Uint8Array): Promise<Result<Metering>> => {
  const thread = new Worker(new URL('./inspection-thread.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  const timeUp = AbortSignal.timeout(LIMIT_MS);
  try {
    thread.postMessage(wasm);
    // `once` rejects with what the thread throws, out of memory included.
    const [answer] = (await once(thread, 'message', { signal: timeUp })) as [Result<Metering>];
    return answer;
  } catch (error) {
    if (!timeUp.aborted && !(error instanceof Error && 'code' in error)) throw error;
    return reject('RESOURCE_UNAVAILABLE', 'the module takes more time or memory to inspect than there is');
  } finally {
    await thread.terminate();
  }
};

/**
 * Inspects modules in a thread apart, one after the other: of 64 MiB an inspection takes seconds, and whoever else this
 * process serves does not wait for it.
 */
export const createInspection = (): Inspection => {
  let last: Promise<unknown> = Promise.resolve();
  return (wasm) => {
    const next = last.then(async () => inspect(typeof wasm === 'function' ? await wasm() : wasm));
    last = next.catch(() => undefined);
    return next;
  };
};
