import type { RunOutcome } from '../../domain/proof/record.ts';
import { shownTail } from '../../domain/text.ts';
import { type ProcessUsage, usageOf } from './process-usage.ts';
import {
  BYTES_PER_MB,
  MODULE_STDERR_FD,
  type RunnerMessage,
  type RunnerTask,
  type Wrapper,
} from './protocol.ts';
import { spawnRunner } from './spawn.ts';
import { textTail } from './text-tail.ts';

export interface ModuleRun {
  readonly outcome: RunOutcome;
  readonly exitCode: number | null;
  /** Empty after a time limit: how far a module got by then depends on the machine. */
  readonly output: Uint8Array;
  readonly stderrTail: string;
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Linear memory at the end; for a killed run the peak of its whole process. */
  readonly peakMemoryBytes: number;
}

/** Most memory of the whole process beside the module's own: program, input, output, and heap that a module uses up. */
const PROCESS_MB = 512;
const WATCH_MS = 250;
const BOOT_LIMIT_MS = 15_000;
const STDERR_TAIL_CHARACTERS = 2048;
const NOTHING = new Uint8Array(0);

type Ending = Omit<ModuleRun, 'stderrTail' | 'wallMs'> & { readonly reason: string | null };

const ended = (outcome: RunOutcome, reason: string, usage: ProcessUsage | null): Ending => ({
  outcome,
  reason,
  exitCode: null,
  output: NOTHING,
  cpuMs: usage?.cpuMs ?? 0,
  peakMemoryBytes: usage?.peakMemoryBytes ?? 0,
});

const OUT_OF_HEAP = 'the module used up the memory of its process beside its own';

/** A process that died unasked: out of heap (tables, garbage-collected objects, compiled code), or a crash. */
const crashed = (signal: NodeJS.Signals | null, diagnostics: string): Ending =>
  /out of memory|heap limit|allocation failed/i.test(diagnostics)
    ? ended('memory_limit', OUT_OF_HEAP, null)
    : ended('trapped', `the process ended by ${signal ?? 'itself'}`, null);

/**
 * Runs a module in a process of its own, which is killed at the time limit. Whatever the module does is an outcome;
 * rejects only when the process could not be started or somebody else killed it.
 */
export const runModule = (
  task: RunnerTask,
  { wrapper, timeLimitSeconds }: { readonly wrapper: Wrapper; readonly timeLimitSeconds: number },
): Promise<ModuleRun> =>
  new Promise((resolve, reject) => {
    const runner = spawnRunner(wrapper, task.memoryMb);
    const kill = () => runner.kill('SIGKILL');
    const stderr = textTail(STDERR_TAIL_CHARACTERS);
    const diagnostics = textTail(STDERR_TAIL_CHARACTERS);
    runner.stdio[MODULE_STDERR_FD]?.on('data', stderr.write);
    runner.stderr?.on('data', diagnostics.write);

    let startedAt: number | null = null;
    let ending: Ending | null = null;
    let limit = setTimeout(kill, BOOT_LIMIT_MS);
    let watch: NodeJS.Timeout | undefined;
    const usage = () => usageOf(runner.pid ?? 0);
    const end = (given: Ending): void => {
      ending ??= given;
      clearTimeout(limit);
      clearInterval(watch);
      kill();
    };
    const begin = (): void => {
      clearTimeout(limit);
      startedAt = performance.now();
      const reason = `stopped at the time limit of ${timeLimitSeconds} s`;
      limit = setTimeout(() => end(ended('time_limit', reason, usage())), timeLimitSeconds * 1000);
      watch = setInterval(() => {
        const used = usage();
        if (used && used.peakMemoryBytes > (task.memoryMb + PROCESS_MB) * BYTES_PER_MB)
          end(ended('memory_limit', OUT_OF_HEAP, used));
      }, WATCH_MS);
      runner.send(task);
    };
    runner.on('message', (received) => {
      const message = received as RunnerMessage;
      if (message.type === 'booted') return begin();
      const { memoryBytes, ...rest } = message;
      end({ ...rest, peakMemoryBytes: memoryBytes });
    });
    runner.once('error', reject);
    // The node let go of this enclave, or this process ends.
    process.once('disconnect', kill);
    process.once('exit', kill);
    runner.once('close', (_code, signal) => {
      clearTimeout(limit);
      clearInterval(watch);
      process.removeListener('disconnect', kill);
      process.removeListener('exit', kill);
      if (startedAt === null) return reject(new Error('the runner did not start'));
      if (ending === null && signal === 'SIGKILL')
        return reject(new Error('the runner was killed from outside'));
      const { reason, ...facts } = ending ?? crashed(signal, diagnostics.text());
      const tail = reason === null ? stderr.text() : `${stderr.text()}\n[sandbox] ${reason}\n`;
      resolve({
        ...facts,
        stderrTail: shownTail(tail, STDERR_TAIL_CHARACTERS),
        wallMs: performance.now() - startedAt,
      });
    });
  });
