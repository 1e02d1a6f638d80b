import type { ChildProcess } from 'node:child_process';
import type { RunOutcome } from '../../domain/proof/record.ts';
import { usageOf } from './process-usage.ts';
import { MODULE_STDERR_FD, type RunnerMessage, type RunnerTask, type Wrapper } from './protocol.ts';
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

const PAGE_BYTES = 65_536;
const BOOT_LIMIT_MS = 15_000;
export const STDERR_TAIL_CHARACTERS = 2048;
const NOTHING = new Uint8Array(0);

type Ending = Omit<ModuleRun, 'stderrTail' | 'wallMs'> & { readonly reason: string | null };

/** A process that died unasked: out of heap (tables, garbage-collected objects, compiled code), or a crash. */
const crashed = (signal: NodeJS.Signals | null, diagnostics: string): Ending => {
  const outOfMemory = /out of memory|heap limit|allocation failed/i.test(diagnostics);
  return {
    outcome: outOfMemory ? 'memory_limit' : 'trapped',
    exitCode: null,
    reason: outOfMemory
      ? 'the module used up the heap of its process'
      : `the process ended by ${signal ?? 'itself'}`,
    output: NOTHING,
    cpuMs: 0,
    peakMemoryBytes: 0,
  };
};

const killedAtLimit = (runner: ChildProcess, seconds: number): Ending => {
  const usage = usageOf(runner.pid ?? 0);
  return {
    outcome: 'time_limit',
    exitCode: null,
    reason: `stopped at the time limit of ${seconds} s`,
    output: NOTHING,
    cpuMs: usage?.cpuMs ?? 0,
    peakMemoryBytes: usage?.peakMemoryBytes ?? 0,
  };
};

/**
 * Runs a module in a process of its own, which is killed at the time limit. Whatever the module does is an outcome;
 * rejects only when the process could not be started or somebody else killed it.
 */
export const runModule = (
  task: RunnerTask,
  { wrapper, timeLimitSeconds }: { readonly wrapper: Wrapper; readonly timeLimitSeconds: number },
): Promise<ModuleRun> =>
  new Promise((resolve, reject) => {
    const runner = spawnRunner(wrapper, Math.floor(task.memoryBytes / PAGE_BYTES));
    const kill = () => runner.kill('SIGKILL');
    const stderr = textTail(STDERR_TAIL_CHARACTERS);
    const diagnostics = textTail(STDERR_TAIL_CHARACTERS);
    runner.stdio[MODULE_STDERR_FD]?.on('data', stderr.write);
    runner.stderr?.on('data', diagnostics.write);

    let startedAt: number | null = null;
    let ending: Ending | null = null;
    let timer = setTimeout(kill, BOOT_LIMIT_MS);
    const end = (given: Ending): void => {
      if (ending !== null) return;
      ending = given;
      clearTimeout(timer);
      kill();
    };
    const onMessage = (message: RunnerMessage): void => {
      if (message.type === 'ended') {
        const { memoryBytes, ...rest } = message;
        end({ ...rest, peakMemoryBytes: memoryBytes });
        return;
      }
      clearTimeout(timer);
      startedAt = performance.now();
      timer = setTimeout(() => end(killedAtLimit(runner, timeLimitSeconds)), timeLimitSeconds * 1000);
      runner.send(task);
    };
    runner.on('message', (message) => onMessage(message as RunnerMessage));
    runner.once('error', reject);
    process.once('exit', kill);
    runner.once('close', (_code, signal) => {
      clearTimeout(timer);
      process.removeListener('exit', kill);
      if (startedAt === null) return reject(new Error('the runner did not start'));
      if (ending === null && signal === 'SIGKILL')
        return reject(new Error('the runner was killed from outside'));
      const { reason, ...facts } = ending ?? crashed(signal, diagnostics.text());
      const tail = reason === null ? stderr.text() : `${stderr.text()}\n[sandbox] ${reason}\n`;
      resolve({
        ...facts,
        stderrTail: tail.slice(-STDERR_TAIL_CHARACTERS).toWellFormed(),
        wallMs: performance.now() - startedAt,
      });
    });
  });
