import type { Readable, Writable } from 'node:stream';
import { shownTail } from '../../domain/text.ts';
import { encodeFrame, type Frame, frameReader } from './frames.ts';
import { type Probes, probeBeside } from './probes.ts';
import { type ProcessUsage, usageOf } from './process-usage.ts';
import {
  BYTES_PER_MB,
  MAX_OUTPUT_BYTES,
  type RunnerEnd,
  type RunnerMessage,
  type RunnerTask,
  type Wrapper,
} from './protocol.ts';
import { spawnRunner } from './spawn.ts';
import { textTail } from './text-tail.ts';

/** As the runner says, or as its time limit makes it: nobody can ask a module that does not stop for its fuel. */
interface Ending extends Omit<RunnerEnd, 'fuelUsed'> {
  readonly fuelUsed: number | null;
  readonly probedFuelPerSecond?: number;
}

export interface ModuleRun extends Omit<Ending, 'reason' | 'memoryBytes'> {
  readonly stderrTail: string;
  readonly wallMs: number;
  readonly peakMemoryBytes: number;
}

/** Most memory of the whole process beside the module's own: program, stack, input, output … */
const PROCESS_MB = 768;
/** … and compiled code, which is several times as long as the module. */
const COMPILED_FACTOR = 16;
/** Most of an answer: the output and what is said of the run. */
const MOST_ANSWER_BYTES = MAX_OUTPUT_BYTES + 65_536;
const WATCH_MS = 250;
const BOOT_LIMIT_MS = 15_000;
const STDERR_TAIL_CHARACTERS = 2048;

/** A run that its time limit stops, with what its process has used by then; what it wrote ends at no certain byte. */
const outOfTime = (
  { cpuMs, peakMemoryBytes }: ProcessUsage,
  timeLimitSeconds: number,
  probedFuelPerSecond: number,
): Ending => ({
  outcome: 'time_limit',
  exitCode: null,
  trap: null,
  reason: `not done within its time limit of ${timeLimitSeconds} s`,
  fuelUsed: null,
  output: new Uint8Array(0),
  cpuMs,
  memoryBytes: peakMemoryBytes,
  probedFuelPerSecond,
});

/**
 * Runs an instrumented module in a process of its own, which is killed at the time limit. Whatever the module does is an
 * outcome, and so is that it was not done in time. Rejects where there is none: this machine failed it, or does not tell
 * how much a run had used that its time limit stopped.
 * @param probeFuel of known work that this process does beside it, at random times
 */
export const runModule = (
  task: RunnerTask,
  {
    wrapper,
    timeLimitSeconds,
    probeFuel,
  }: { readonly wrapper: Wrapper; readonly timeLimitSeconds: number; readonly probeFuel: number },
): Promise<ModuleRun> =>
  new Promise((resolve, reject) => {
    const runner = spawnRunner(wrapper, task.memoryMb);
    const kill = () => runner.kill('SIGKILL');
    const stderr = textTail(STDERR_TAIL_CHARACTERS);
    const mostBytes = (task.memoryMb + PROCESS_MB) * BYTES_PER_MB + task.code.length * COMPILED_FACTOR;
    const diagnostics = textTail(STDERR_TAIL_CHARACTERS);
    const [orders, , said, moduleStderr, answers] = runner.stdio as unknown as [
      Writable,
      null,
      Readable,
      Readable,
      Readable,
    ];
    moduleStderr.on('data', stderr.write);
    said.on('data', diagnostics.write);

    let startedAt: number | null = null;
    let ending: Ending | string | null = null;
    let limit = setTimeout(kill, BOOT_LIMIT_MS);
    let watch: NodeJS.Timeout | undefined;
    let probes: Probes | null = null;
    /** `given`: how the run ended, or why it has no end. */
    const end = (given: Ending | string): void => {
      ending ??= given;
      clearTimeout(limit);
      clearInterval(watch);
      probes?.stop();
      kill();
    };
    const begin = (): void => {
      clearTimeout(limit);
      startedAt = performance.now();
      const beside = probeBeside({ fuel: probeFuel, timeLimitSeconds }, (error) =>
        end(`known work could not be done beside it: ${String(error)}`),
      );
      probes = beside;
      const stopLate = (): void => {
        const used = usageOf(runner.pid ?? 0);
        if (used) end(outOfTime(used, timeLimitSeconds, beside.stop()));
        else end('the time limit stopped it, after nobody knows what');
      };
      // A timer may fire a millisecond early.
      limit = setTimeout(stopLate, timeLimitSeconds * 1000 + 1);
      watch = setInterval(() => {
        const used = usageOf(runner.pid ?? 0);
        if (used && used.peakMemoryBytes > mostBytes)
          end('the runner used more memory than any module can need');
      }, WATCH_MS);
      const { code, input, ...order } = task;
      orders.write(encodeFrame(order, [code, input]));
    };
    const heard = ({ message, pieces }: Frame): void => {
      const answer = message as RunnerMessage;
      if (answer.type === 'booted') begin();
      else if (answer.type === 'failed') end(answer.message);
      else end({ ...answer.end, output: pieces[0] ?? new Uint8Array(0) });
    };
    const read = frameReader(MOST_ANSWER_BYTES);
    answers.on('data', (chunk: Buffer) => {
      if (ending !== null) return;
      try {
        read(chunk).forEach(heard);
      } catch (error) {
        end(`the runner answered what is no answer: ${String(error)}`);
      }
    });
    // A runner that does not take its order has ended, and that is told.
    orders.on('error', () => undefined);
    runner.once('error', reject);
    // The node let go of this enclave, or this process ends.
    process.once('disconnect', kill);
    process.once('exit', kill);
    runner.once('close', (_code, signal) => {
      clearTimeout(limit);
      clearInterval(watch);
      probes?.stop();
      process.removeListener('disconnect', kill);
      process.removeListener('exit', kill);
      if (startedAt === null) return reject(new Error('the runner did not start'));
      if (typeof ending === 'string') return reject(new Error(ending));
      if (ending === null)
        return reject(new Error(`the runner ended by ${signal ?? 'itself'}: ${diagnostics.text()}`));
      const { reason, memoryBytes, ...facts } = ending;
      const tail = reason === null ? stderr.text() : `${stderr.text()}\n[sandbox] ${reason}\n`;
      resolve({
        ...facts,
        peakMemoryBytes: memoryBytes,
        stderrTail: shownTail(tail, STDERR_TAIL_CHARACTERS),
        wallMs: performance.now() - startedAt,
      });
    });
  });
