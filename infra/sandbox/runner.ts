import { writeSync } from 'node:fs';
import { outputBuffer } from './output-buffer.ts';
import { BYTES_PER_MB, MODULE_STDERR_FD, type RunnerMessage, type RunnerTask } from './protocol.ts';
import { MODULE_NAME } from './wasi/abi.ts';
import { seededRandom } from './wasi/random.ts';
import { createWasi, ExitSignal, type Wasi } from './wasi/shim.ts';
import { virtualClock } from './wasi/virtual-clock.ts';

/** Program of the process in which a module runs, once. Its parent, the enclave process, holds the key and the clock. */

const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

type Ended = Omit<Extract<RunnerMessage, { type: 'ended' }>, 'type' | 'cpuMs' | 'output'>;

/** A blocking write of all bytes. */
const writeAll = (fd: number, bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
};

/**
 * V8 does not tell the host that `memory.grow` was refused. A program that is refused memory aborts, which in
 * WebAssembly is the `unreachable` trap; above half of its bound that is counted as the memory limit, because the next
 * doubling of a buffer could not have been granted. The rule is a function of the run alone, so honest nodes agree.
 */
const trapOutcome = (error: Error, memoryBytes: number, limitBytes: number): Ended['outcome'] =>
  /unreachable/.test(error.message) && memoryBytes * 2 >= limitBytes ? 'memory_limit' : 'trapped';

const afterThrow = (error: unknown, wasi: Wasi, memoryBytes: number, limitBytes: number): Ended => {
  const exitCode = wasi.exitCode();
  if (error instanceof ExitSignal || exitCode !== null)
    return { outcome: 'exited', exitCode, reason: null, memoryBytes };
  // A module can also throw a value of its own, a WebAssembly exception that nobody caught.
  const cause = error instanceof Error ? error : new Error('uncaught exception');
  const outcome = trapOutcome(cause, memoryBytes, limitBytes);
  const reason = outcome === 'memory_limit' ? 'no more memory than the bound of the enclave' : cause.message;
  return { outcome, exitCode: null, reason, memoryBytes };
};

const instantiate = async (task: RunnerTask, wasi: Wasi): Promise<WebAssembly.Instance> =>
  WebAssembly.instantiate(await WebAssembly.compile(task.code), { [MODULE_NAME]: wasi.imports });

const execute = async (task: RunnerTask, wasi: Wasi): Promise<Ended> => {
  let memory: WebAssembly.Memory | null = null;
  try {
    const { exports } = await instantiate(task, wasi);
    memory = exports['memory'] as WebAssembly.Memory;
    wasi.attach(memory);
    (exports['_start'] as () => void)();
    return {
      outcome: 'exited',
      exitCode: wasi.exitCode() ?? 0,
      reason: null,
      memoryBytes: memory.buffer.byteLength,
    };
  } catch (error) {
    return afterThrow(error, wasi, memory?.buffer.byteLength ?? 0, task.memoryMb * BYTES_PER_MB);
  }
};

const run = async (task: RunnerTask): Promise<RunnerMessage> => {
  const stdout = outputBuffer(MAX_OUTPUT_BYTES);
  const wasi = createWasi({
    args: ['main.wasm', ...task.args],
    stdin: task.input,
    clock: virtualClock(task.clockStartMs),
    fillRandom: seededRandom(task.randomSeed),
    writeStdout: stdout.write,
    writeStderr: (bytes) => writeAll(MODULE_STDERR_FD, bytes),
  });
  const before = process.cpuUsage();
  const ended = await execute(task, wasi);
  const { user, system } = process.cpuUsage(before);
  return { type: 'ended', ...ended, output: stdout.bytes(), cpuMs: (user + system) / 1000 };
};

const send = (message: RunnerMessage, then?: () => void): void => {
  process.send?.(message, () => then?.());
};

process.once('message', (task) => {
  void run(task as RunnerTask).then((message) => send(message, () => process.disconnect()));
});
send({ type: 'booted' });
