import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LocalStack } from '../config/local-stack.ts';
import { type ProcessKind, processName } from '../processes/roster.ts';
import type { ProcessSpec } from '../stack/process.ts';
import { nodeFlags, projectorFlags } from './confinement.ts';
import type { LocalCounts, LocalHome } from './local-home.ts';
import type { LocalNode } from './local-nodes.ts';

/** Settings of every process of a local stack, on top of the user's own environment. */
export const serviceEnvironment = (
  home: LocalHome,
  stack: Pick<LocalStack, 'databaseUrl' | 'temporalAddress'> & {
    readonly temporalUiUrl: string | null;
    readonly anchorRpcUrl: string | null;
  },
  counts: LocalCounts,
): NodeJS.ProcessEnv => ({
  ...process.env,
  AIVILLAGE_HOME: home.home,
  DATABASE_URL: stack.databaseUrl,
  TEMPORAL_ADDRESS: stack.temporalAddress,
  ...(stack.temporalUiUrl === null ? {} : { TEMPORAL_UI_URL: stack.temporalUiUrl }),
  ...(stack.anchorRpcUrl === null ? {} : { ANCHOR_RPC_URL: stack.anchorRpcUrl }),
  EXPECTED_APIS: `${counts.apis}`,
  EXPECTED_WORKERS: `${counts.workers}`,
  EXPECTED_PROJECTORS: `${counts.projectors}`,
  // The supervisor waits for lines of level info.
  LOG_LEVEL: ['trace', 'debug'].includes(process.env['LOG_LEVEL'] ?? '') ? process.env['LOG_LEVEL'] : 'info',
});

/**
 * A dozen small processes share a few cores and their caches here: V8's parallel collectors then cost more CPU than they save,
 * so each process collects its garbage on the thread that made it, and a young generation that may grow to 128 MB a thread
 * keeps that for a collection less.
 */
const NODE_FLAGS = ['--single-threaded-gc', '--max-semi-space-size=8'];

/**
 * Eight seconds after one collection V8 begins another to give memory back. Whoever has a job every few seconds is then looked
 * through for each of them; a minute later it still is given back.
 */
const PATIENT_REDUCER = '--gc-memory-reducer-start-delay-ms=60000';

/**
 * What strangers make an API take for a moment is given back: by V8, whose young generation otherwise grows to 128 MB and
 * stays, and whose old one doubles before it is looked through and keeps the holes that are found (for size it moves what is
 * left together, for up to a fifth more CPU); and by the allocator (mallopt(3)), which otherwise keeps what threads have freed,
 * for themselves.
 */
const API_FLAGS = [
  '--optimize-for-size',
  '--initial-old-space-size=64',
  '--heap-growing-percent=20',
  '--max-old-space-size=512',
];
const API_ALLOCATOR = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

/**
 * V8 shrinks the young generation of whoever waits, to two megabytes here, and lets the old one grow by little: in the pauses
 * of a worker, which always waits for somebody, garbage became old, and all of it was looked through every few jobs.
 */
const WORKER_FLAGS = [
  '--min-semi-space-size=4',
  '--heap-growing-percent=60',
  PATIENT_REDUCER,
  '--import',
  pathToFileURL(resolve(import.meta.dirname, '..', 'temporal', 'without-promise-stacks.ts')).href,
];

/** Temporal's own threads otherwise keep what they have freed, each for itself. */
const WORKER_ALLOCATOR = { MALLOC_ARENA_MAX: '2' };

/**
 * Node keeps what it made of the TypeScript there, each owner for itself: a process that finds it starts in half the time
 * and takes 30 MB less, for it needs no compiler.
 */
const compileCache = (folder: string): NodeJS.ProcessEnv => ({
  NODE_COMPILE_CACHE: join(folder, 'compiled'),
});

/**
 * APIs, workers, projectors and the nodes, each a process of its own. The engine's are numbered from 0 on.
 * @param port of the first API
 * @param programs folder of one-file programs; null: all run from their sources
 */
export const localServices = (
  home: LocalHome,
  nodes: readonly LocalNode[],
  env: NodeJS.ProcessEnv,
  port: number,
  projectors: number,
  programs: string | null,
): ProcessSpec[] => {
  const service = (
    name: string,
    program: string,
    isReady: (logFile: string) => Promise<boolean>,
    more: {
      readonly args?: readonly string[];
      readonly env?: NodeJS.ProcessEnv;
      readonly flags?: readonly string[];
    } = {},
  ): ProcessSpec => {
    const logFile = home.path('logs', `${name}.log`);
    return {
      name,
      command: process.execPath,
      args: [
        ...NODE_FLAGS,
        ...(more.flags ?? []),
        resolve(import.meta.dirname, program),
        ...(more.args ?? []),
      ],
      env: more.env ?? env,
      logFile,
      isReady: () => isReady(logFile),
    };
  };
  const programOf = (name: 'node' | ProcessKind): string =>
    programs === null ? `${name}.ts` : join(programs, 'infra', 'main', `${name}.mjs`);
  const numbered = (
    kind: ProcessKind,
    index: number,
    isReady: (logFile: string) => Promise<boolean>,
    more: NodeJS.ProcessEnv = {},
    flags: readonly string[] = [],
  ): ProcessSpec =>
    service(processName(kind, String(index)), programOf(kind), isReady, {
      env: { ...env, INSTANCE_NAME: `${index}`, ...more },
      flags,
    });
  // A node belongs to somebody else: it gets none of the engine's settings.
  const nodeEnvironment = { PATH: env['PATH'], HOME: env['HOME'], LOG_LEVEL: env['LOG_LEVEL'] };
  return [
    ...home.meshPorts.map((meshPort, index) =>
      numbered(
        'worker',
        index,
        logs('worker ready'),
        {
          WORKER_INDEX: `${index}`,
          MESH_PORT: `${meshPort}`,
          ...WORKER_ALLOCATOR,
          ...compileCache(home.home),
        },
        WORKER_FLAGS,
      ),
    ),
    ...Array.from({ length: projectors }, (_, index) =>
      numbered('projector', index, logs('projector started'), {}, [
        PATIENT_REDUCER,
        ...projectorFlags(home.home, programs),
      ]),
    ),
    ...[port, ...home.moreApiPorts].map((each, index) =>
      numbered(
        'api',
        index,
        () => answers(`http://127.0.0.1:${each}/v1/system/health/live`),
        { PORT: `${each}`, ...API_ALLOCATOR, ...compileCache(home.home) },
        API_FLAGS,
      ),
    ),
    ...nodes.map(({ profile, configFile }) =>
      service(`node-${profile.name}`, programOf('node'), logs('node ready'), {
        args: [configFile],
        env: { ...nodeEnvironment, ...compileCache(dirname(configFile)) },
        flags: nodeFlags(dirname(configFile), programs),
      }),
    ),
  ];
};

/** A service without a port of its own logs a line of this beginning once it does its work. */
const logs = (message: string) => async (logFile: string) =>
  (await readFile(logFile, 'utf8')).includes(`"msg":"${message}`);

const answers = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    (response) => response.ok,
    () => false,
  );
