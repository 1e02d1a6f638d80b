import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RunnerTask } from '../../infra/sandbox/protocol.ts';

/** States of V8's two WebAssembly compilers: one alone, the other alone, and how it changes from one to the other. */
export const STATES: Readonly<Record<string, readonly string[]>> = {
  'as in the sandbox': ['--experimental-wasm-branch-hinting'],
  'as it comes': [],
  'baseline compiler only': ['--liftoff', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering'],
  'optimising compiler only': ['--no-liftoff'],
  'changes at once': ['--wasm-dynamic-tiering', '--wasm-tiering-budget=200'],
  'inlines what it can': [
    '--wasm-tiering-budget=2000',
    '--wasm-inlining-factor=20',
    '--wasm-inlining-budget=50000',
  ],
  'without trap handlers': ['--wasm-enforce-bounds-checks', '--no-wasm-loop-unrolling', '--no-wasm-inlining'],
};

export interface Asked {
  readonly tasks: readonly RunnerTask[];
  readonly runs: number;
}

/** By task: everything that was seen in its runs, each different one once, as JSON. */
export type Seen = readonly (readonly string[])[];

const pathOf = (program: string): string => fileURLToPath(new URL(program, import.meta.url));

/** Asks a program one question in a process in this state. */
const askIn = async <T>(flags: readonly string[], program: string, question: object): Promise<T> => {
  const child = fork(pathOf(program), {
    execArgv: ['--no-warnings', ...flags],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    child.send(question);
    const [answer] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code, signal]) => {
        throw new Error(`${program} ended with ${String(code ?? signal)}`);
      }),
    ])) as [T];
    return answer;
  } finally {
    child.kill('SIGKILL');
  }
};

/** Runs each task so many times in a process in this state. */
export const runIn = (flags: readonly string[], asked: Asked): Promise<Seen> =>
  askIn(flags, './runs.ts', asked);

/** How deep a module recurses in this state without metering, on the stack that Node has by itself. */
export const unmeteredDepth = (flags: readonly string[]): Promise<number> =>
  askIn(flags, './unmetered-depth.ts', {});
