import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Wrapper } from './protocol.ts';

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** All the code that a sandbox process reads: its own folder, the rules it shares with verifiers, and the hashes. */
const READABLE = ['./', '../../domain/', '../../node_modules/@noble/', '../../package.json'].map(pathOf);

const PERMISSIONS = ['--permission', ...READABLE.map((path) => `--allow-fs-read=${path}`)];
const COMMON = ['--no-warnings', '--disallow-code-generation-from-strings', '--no-addons'];

const PAGES_PER_MB = 16;
const RUNNER_HEAP_MB = 64;
const MAX_TABLE_ENTRIES = 1_000_000;

const works = (words: readonly string[]): boolean => {
  const [program = '', ...args] = words;
  return spawnSync(program, [...args, 'true'], { env: {}, stdio: 'ignore', timeout: 5000 }).status === 0;
};

export interface Isolation {
  /** `none`: a network namespace without any interface. `host`: this machine does not let us make one. */
  readonly network: 'none' | 'host';
  readonly wrapper: Wrapper;
  /** Words that put a command into the empty network namespace. */
  readonly withoutNetwork: readonly string[];
}

/** Finds out, by trying, what this machine allows. */
export const detectIsolation = (): Isolation => {
  const withoutNetwork =
    [
      ['unshare', '-n'],
      ['unshare', '-rn'],
    ].find(works) ?? [];
  const dieWithParent = [['setpriv', '--pdeathsig', 'KILL']].find(works) ?? [];
  return { network: withoutNetwork.length > 0 ? 'none' : 'host', wrapper: { dieWithParent }, withoutNetwork };
};

const start = (
  prefix: readonly string[],
  flags: readonly string[],
  script: string,
  streams: readonly ('ignore' | 'pipe' | 'ipc')[],
  detached: boolean,
): ChildProcess => {
  const [program, ...args] = [
    ...prefix,
    process.execPath,
    ...PERMISSIONS,
    ...COMMON,
    ...flags,
    pathOf(script),
  ];
  return spawn(program, args, { env: {}, stdio: [...streams], serialization: 'advanced', detached });
};

/** Starts an enclave process: no environment, no network, no files; leader of a process group of its own. */
export const spawnEnclave = ({ wrapper, withoutNetwork }: Isolation): ChildProcess =>
  start(
    [...withoutNetwork, ...wrapper.dieWithParent],
    // It reads the use of the runner there; the module, in the runner, has no such right.
    ['--allow-child-process', '--allow-fs-read=/proc/', '--max-old-space-size=128'],
    './enclave-process.ts',
    ['ignore', 'ignore', 'ignore', 'ipc'],
    true,
  );

/**
 * Starts the process that runs a module with a linear memory of at most `memoryMb`. V8 counts that memory against the
 * heap's bound: above half of it every growth would wait for a full collection, hence the factor of two.
 */
export const spawnRunner = (wrapper: Wrapper, memoryMb: number): ChildProcess =>
  start(
    wrapper.dieWithParent,
    [
      `--wasm-max-mem-pages=${memoryMb * PAGES_PER_MB}`,
      `--wasm-max-table-size=${MAX_TABLE_ENTRIES}`,
      `--max-old-space-size=${2 * memoryMb + RUNNER_HEAP_MB}`,
    ],
    './runner.ts',
    ['ignore', 'ignore', 'pipe', 'ipc', 'pipe'],
    false,
  );
