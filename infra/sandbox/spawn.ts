import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { REAL_STACK_MB, TABLE_ENTRIES } from '../../domain/metering/costs.ts';
import { programUrl } from './program-url.ts';
import { BYTES_PER_MB, heapMbOf, type Wrapper } from './protocol.ts';

const ENCLAVE = fileURLToPath(programUrl('enclave-process'));
const RUNNER = fileURLToPath(programUrl('runner'));
/** All the code that a sandbox process reads: its own folder; of sources, the rules it shares with verifiers and the hashes too. */
const READABLE = [
  './',
  ...(RUNNER.endsWith('.ts') ? ['../../domain/', '../../node_modules/@noble/', '../../package.json'] : []),
].map((path) => fileURLToPath(new URL(path, programUrl('runner'))));

const PERMISSIONS = ['--permission', ...READABLE.map((path) => `--allow-fs-read=${path}`)];
const COMMON = ['--no-warnings', '--no-addons'];

const PAGES_PER_MB = 16;
/** Node reads its own TypeScript by a WebAssembly module, for which 2 MiB are too little. */
const LEAST_MB = 16;
/** Heap that an enclave process may use: most modules take a hundredth of it to inspect and instrument. */
export const INSPECTION_HEAP_MB = 1536;

/** Whether a command behind these words starts, and may read what a sandbox process is made of. */
const works = (words: readonly string[]): boolean => {
  const [program = '', ...args] = words;
  const readable = ['test', '-x', process.execPath, '-a', '-r', RUNNER];
  return spawnSync(program, [...args, ...readable], { env: {}, stdio: 'ignore', timeout: 5000 }).status === 0;
};

export interface Isolation {
  /** `none`: a network namespace without any interface. `host`: this machine does not let us make one. */
  readonly network: 'none' | 'host';
  readonly wrapper: Wrapper;
  /** Words that put a command into the empty network namespace. */
  readonly withoutNetwork: readonly string[];
}

/** Without capabilities and without a way to new ones; then what an old `setpriv` can do. */
const CONFINEMENTS = [
  ['setpriv', '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--pdeathsig', 'KILL'],
  ['setpriv', '--no-new-privs', '--pdeathsig', 'KILL'],
  ['setpriv', '--pdeathsig', 'KILL'],
] as const;

/** Room for what Node and V8 need of a stack besides the module. */
const STACK_SPARE_MB = 8;
const DEEP_STACK = ['prlimit', `--stack=${(REAL_STACK_MB + STACK_SPARE_MB) * BYTES_PER_MB}:`];

/** Finds out, by trying, what this machine allows. */
export const detectIsolation = (): Isolation => {
  const withoutNetwork =
    [
      ['unshare', '-n'],
      ['unshare', '-rn'],
    ].find(works) ?? [];
  // Tried inside of the namespace, where a root of its own would have rights again.
  const confined = CONFINEMENTS.find((words) => works([...withoutNetwork, ...words])) ?? [];
  // In its main thread a module keeps the runner from learning that its parent died: the kernel has to end it, then.
  const deepStack =
    confined.length > 0 && works([...withoutNetwork, ...confined, ...DEEP_STACK, ...confined])
      ? DEEP_STACK
      : [];
  const network = withoutNetwork.length > 0 ? 'none' : 'host';
  return { network, wrapper: { confined, deepStack }, withoutNetwork };
};

const start = (
  prefix: readonly string[],
  flags: readonly string[],
  script: string,
  streams: readonly ('ignore' | 'pipe' | 'ipc')[],
  detached: boolean,
  parameters: readonly string[] = [],
): ChildProcess => {
  const [program = process.execPath, ...args]: readonly string[] = [
    ...prefix,
    process.execPath,
    ...PERMISSIONS,
    ...COMMON,
    ...flags,
    script,
    ...parameters,
  ];
  return spawn(program, args, { env: {}, stdio: [...streams], serialization: 'advanced', detached });
};

/** Starts an enclave process: no environment, no network, no files; leader of a process group of its own. */
export const spawnEnclave = ({ wrapper, withoutNetwork }: Isolation): ChildProcess =>
  start(
    [...withoutNetwork, ...wrapper.confined],
    // It reads the use of the runner there; the module, in the runner, has no such right.
    ['--allow-child-process', '--allow-fs-read=/proc/', `--max-old-space-size=${INSPECTION_HEAP_MB}`],
    ENCLAVE,
    ['ignore', 'ignore', 'ignore', 'ipc'],
    true,
  );

/**
 * Starts the process that runs a module with a linear memory of at most `memoryMb`. The engine's own bounds are no lower
 * than those that the instrumented module keeps by itself, so none of them is ever met.
 */
export const spawnRunner = ({ confined, deepStack }: Wrapper, memoryMb: number): ChildProcess =>
  start(
    [...deepStack, ...confined],
    [
      deepStack.length > 0 ? `--stack-size=${REAL_STACK_MB * 1024}` : '--allow-worker',
      '--disallow-code-generation-from-strings',
      // What metering adds to loops is cold, and says so: without this it costs registers where the module is hot.
      '--experimental-wasm-branch-hinting',
      `--wasm-max-mem-pages=${Math.max(memoryMb, LEAST_MB) * PAGES_PER_MB}`,
      `--wasm-max-table-size=${TABLE_ENTRIES}`,
      `--max-old-space-size=${heapMbOf(memoryMb)}`,
    ],
    RUNNER,
    ['pipe', 'ignore', 'pipe', 'pipe', 'pipe'],
    false,
    [String(memoryMb), deepStack.length > 0 ? 'main' : 'thread'],
  );
