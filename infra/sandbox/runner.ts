import { readSync } from 'node:fs';
import { REAL_STACK_MB } from '../../domain/metering/costs.ts';
import { executeModule } from './execute-module.ts';
import { encodeFrame, frameReader } from './frames.ts';
import { writeModuleStderr } from './module-stderr.ts';
import { programUrl } from './program-url.ts';
import {
  ANSWER_FD,
  heapMbOf,
  ORDER_FD,
  type RunnerEnd,
  type RunnerMessage,
  type RunnerOrder,
  type RunnerTask,
} from './protocol.ts';
import { writeAll } from './write-all.ts';

/**
 * Program of the process in which a module runs, once. Its parent, the enclave process, holds the key and the clock. Its
 * arguments are the most memory of the module, MiB, and where it runs: in the `main` thread, whose stack the parent made
 * large enough, or in a `thread` apart, which takes as long again to start.
 */
const [memoryMb, place] = process.argv.slice(2);

const CHUNK_BYTES = 65_536;
/** Of a timer. */
const LONGEST_MS = 2 ** 31 - 1;

const send = (message: RunnerMessage, ...pieces: readonly Uint8Array[]): void =>
  writeAll(ANSWER_FD, encodeFrame(message, pieces));

/** Waits for the order. An enclave process that dies while this one starts is too early for the kernel's signal. */
const receive = (): RunnerTask => {
  send({ type: 'booted' });
  const reader = frameReader(Number.POSITIVE_INFINITY);
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (;;) {
    const size = readSync(ORDER_FD, chunk);
    if (size === 0) process.exit();
    const [frame] = reader(chunk.subarray(0, size));
    if (!frame) continue;
    const [code, input] = frame.pieces as [Uint8Array, Uint8Array];
    return { ...(frame.message as RunnerOrder), code, input };
  }
};

const ended = ({ output, ...end }: RunnerEnd): void => send({ type: 'ended', end }, output);
const failed = (error: unknown): void => send({ type: 'failed', message: String(error) });

const runInThread = async (): Promise<void> => {
  // Half of a runner's start would go into what only this one needs.
  const { Worker } = await import('node:worker_threads');
  const thread = new Worker(programUrl('module-thread'), {
    resourceLimits: { stackSizeMb: REAL_STACK_MB, maxOldGenerationSizeMb: heapMbOf(Number(memoryMb)) },
  });
  thread.once('message', ended);
  thread.once('error', failed);
  // The time of a run begins when everything is there to begin it.
  thread.once('online', () => {
    thread.postMessage(receive());
    // Whoever made no stack cannot make the kernel end this process with its parent either.
    process.stdin.once('end', () => process.exit()).resume();
  });
};

const runHere = async (): Promise<void> => {
  // The engine compiles on its own threads, for which nothing waits.
  const alive = setInterval(() => undefined, LONGEST_MS);
  await executeModule(receive(), writeModuleStderr).then(ended, failed);
  clearInterval(alive);
};

void (place === 'thread' ? runInThread() : runHere());
