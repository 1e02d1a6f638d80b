import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { usageOf } from '../sandbox/process-usage.ts';
import type { Job, Reply, Request, ResultOf } from './child/protocol.ts';

const PROGRAM = fileURLToPath(new URL('./child/main.ts', import.meta.url));

/** How much of what the tools print is kept for an error message. */
const TAIL_CHARS = 2_000;

/** Memory that a tool process may use: several times what the largest circuit within the caps takes. */
const MOST_MEGABYTES = 2_048;
const HEAP_MEGABYTES = 1_024;
const LOOK_MS = 250;

/** A job that did not come to a result; the process that did it may be gone. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}

export interface JobOptions {
  readonly onProgress?: (step: string) => void;
}

/** The process in which compiler, set-up and prover run. */
export interface ToolProcess {
  /** Does `job` after those asked before. @throws ToolError with what the tools said. */
  run<J extends Job>(job: J, options?: JobOptions): Promise<ResultOf<J>>;
  readonly pid: number;
  /** Ends it at once, whatever it does. */
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: ToolError) => void;
  readonly onProgress: ((step: string) => void) | undefined;
}

/**
 * Does `work` with a process of its own: compiler and set-up take hundreds of megabytes and leave file handles open.
 */
export const withTools = async <T>(work: (tools: ToolProcess) => Promise<T>): Promise<T> => {
  const tools = startToolProcess();
  try {
    return await work(tools);
  } finally {
    await tools.close();
  }
};

/** Starts a tool process. It inherits no environment and ends with this process. */
export const startToolProcess = (mostMegabytes = MOST_MEGABYTES): ToolProcess => {
  const child = fork(PROGRAM, {
    env: {},
    execArgv: ['--no-warnings', `--max-old-space-size=${HEAP_MEGABYTES}`],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const waiting = new Map<number, Waiting>();
  let next = 0;
  let tail = '';
  let ended: ToolError | null = null;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-TAIL_CHARS);
    });
  }

  const settle = (id: number): Waiting | undefined => {
    const one = waiting.get(id);
    waiting.delete(id);
    return one;
  };
  const end = (reason: string): void => {
    ended ??= new ToolError(reason);
    for (const id of [...waiting.keys()]) settle(id)?.reject(ended);
  };

  child.on('message', (reply: Reply) => {
    if (reply.type === 'progress') waiting.get(reply.id)?.onProgress?.(reply.step);
    else if (reply.type === 'result') settle(reply.id)?.resolve(reply.result);
    else settle(reply.id)?.reject(new ToolError(`${reply.message}\n${tail}`.trim()));
  });
  child.on('error', (error) => end(error.message));
  // What WebAssembly holds is in no heap that V8 bounds.
  const looking = setInterval(() => {
    const peak = usageOf(child.pid ?? 0)?.peakMemoryBytes ?? 0;
    if (peak <= mostMegabytes * 1024 * 1024) return;
    end(`the tools took more than ${mostMegabytes} MB of memory`);
    child.kill('SIGKILL');
  }, LOOK_MS).unref();
  const exited = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      clearInterval(looking);
      end(`the tool process ended (${signal ?? code})\n${tail}`.trim());
      resolve();
    });
  });

  return {
    pid: child.pid ?? 0,
    run: <J extends Job>(job: J, { onProgress }: JobOptions = {}) =>
      new Promise<ResultOf<J>>((resolve, reject) => {
        if (ended) return reject(ended);
        const id = next++;
        waiting.set(id, { resolve: resolve as (result: unknown) => void, reject, onProgress });
        const request: Request = { id, job };
        child.send(request, (error) => {
          if (error) settle(id)?.reject(new ToolError(error.message));
        });
      }),
    close: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};
