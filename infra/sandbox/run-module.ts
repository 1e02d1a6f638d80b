import { shownTail } from '../../domain/text.ts';
import { usageOf } from './process-usage.ts';
import {
  BYTES_PER_MB,
  MODULE_STDERR_FD,
  type RunnerEnd,
  type RunnerMessage,
  type RunnerTask,
  type Wrapper,
} from './protocol.ts';
import { spawnRunner } from './spawn.ts';
import { textTail } from './text-tail.ts';

export interface ModuleRun extends Omit<RunnerEnd, 'reason' | 'memoryBytes'> {
  readonly stderrTail: string;
  readonly wallMs: number;
  readonly peakMemoryBytes: number;
}

/** Most memory of the whole process beside the module's own: program, stack, input, output … */
const PROCESS_MB = 768;
/** … and compiled code, which is several times as long as the module. */
const COMPILED_FACTOR = 16;
const WATCH_MS = 250;
const BOOT_LIMIT_MS = 15_000;
const STDERR_TAIL_CHARACTERS = 2048;

/**
 * Runs an instrumented module in a process of its own. Whatever the module does is an outcome. Rejects where there is
 * none: the run was not done at the time limit, for which the process is killed; or this machine failed it.
 */
export const runModule = (
  task: RunnerTask,
  { wrapper, timeLimitSeconds }: { readonly wrapper: Wrapper; readonly timeLimitSeconds: number },
): Promise<ModuleRun> =>
  new Promise((resolve, reject) => {
    const runner = spawnRunner(wrapper, task.memoryMb);
    const kill = () => runner.kill('SIGKILL');
    const stderr = textTail(STDERR_TAIL_CHARACTERS);
    const mostBytes = (task.memoryMb + PROCESS_MB) * BYTES_PER_MB + task.code.length * COMPILED_FACTOR;
    const diagnostics = textTail(STDERR_TAIL_CHARACTERS);
    runner.stdio[MODULE_STDERR_FD]?.on('data', stderr.write);
    runner.stderr?.on('data', diagnostics.write);

    let startedAt: number | null = null;
    let ending: RunnerEnd | string | null = null;
    let limit = setTimeout(kill, BOOT_LIMIT_MS);
    let watch: NodeJS.Timeout | undefined;
    /** `given`: how the run ended, or why it has no end. */
    const end = (given: RunnerEnd | string): void => {
      ending ??= given;
      clearTimeout(limit);
      clearInterval(watch);
      kill();
    };
    const begin = (): void => {
      clearTimeout(limit);
      startedAt = performance.now();
      const late = `not done within its time limit of ${timeLimitSeconds} s`;
      limit = setTimeout(() => end(late), timeLimitSeconds * 1000);
      watch = setInterval(() => {
        const used = usageOf(runner.pid ?? 0);
        if (used && used.peakMemoryBytes > mostBytes)
          end('the runner used more memory than any module can need');
      }, WATCH_MS);
      runner.send(task);
    };
    runner.on('message', (received) => {
      const message = received as RunnerMessage;
      if (message.type === 'booted') begin();
      else end(message.type === 'ended' ? message.end : message.message);
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
