import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { allocatePort } from '../../infra/stack/ports.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const START_TIMEOUT_MS = 600_000;
const POLL_MS = 50;

export interface Stack {
  readonly home: string;
  readonly apiUrl: string;
  /** Of every API, the first one first. */
  readonly apiUrls: readonly string[];
  readonly apiKey: string;
  /** All that was printed so far. */
  output(): string;
  /** Resolves when the output since the start of the call, or as a whole, matches. */
  waitFor(pattern: RegExp, options?: { readonly fromNow?: boolean }): Promise<void>;
  /** Of the supervisor, from which all others descend. */
  readonly pid: number;
  /** Process id by name of what the supervisor runs now: postgres, temporal, api, worker, projector, node-…. */
  pids(): Record<string, number>;
  /** Sends SIGKILL to one process of the stack, or to the supervisor itself. */
  kill(name: string): void;
  /** Ends the stack as Ctrl-C does; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Runs `npm start`'s program on the data directory `home` and resolves when it says that it is up. */
export const startStack = async (
  home: string,
  options: {
    readonly port?: number;
    readonly sample?: boolean;
    readonly env?: NodeJS.ProcessEnv;
    /** More arguments of `npm start --`. */
    readonly args?: readonly string[];
    /** Of another checkout. */
    readonly root?: string;
  } = {},
): Promise<Stack> => {
  const port = options.port ?? (await allocatePort());
  const args = [
    join(options.root ?? ROOT, 'bin', 'start.mjs'),
    ...(options.sample === true ? [] : ['--no-sample']),
    ...(options.args ?? []),
  ];
  const child = spawn(process.execPath, args, {
    // A week per epoch, two months per window: no test meets the turn of an hour.
    env: {
      TOPOLOGY_EPOCH_SECONDS: '604800',
      OBSERVATION_ROUND_SECONDS: '86400',
      OBSERVATION_ROUNDS: '64',
      ...process.env,
      ...options.env,
      AIVILLAGE_HOME: home,
      PORT: `${port}`,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  }
  const waitFor: Stack['waitFor'] = async (pattern, { fromNow = false } = {}) => {
    const from = fromNow ? output.length : 0;
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!pattern.test(output.slice(from))) {
      if (child.exitCode !== null) throw new Error(`the stack ended with code ${child.exitCode}\n${output}`);
      if (performance.now() > deadline) throw new Error(`${pattern} never came\n${output}`);
      await delay(POLL_MS);
    }
  };
  const record = () =>
    JSON.parse(readFileSync(join(home, 'run', 'processes.json'), 'utf8')) as {
      owner: { pid: number };
      children: { name: string; pid: number }[];
    };
  const pids = () => Object.fromEntries(record().children.map(({ name, pid }) => [name, pid]));
  await waitFor(/AIVillage is up/);
  const credentials = JSON.parse(readFileSync(join(home, 'credentials.json'), 'utf8')) as {
    api_url: string;
    api_key: string;
  };
  return {
    home,
    apiUrl: credentials.api_url,
    apiUrls: (/^ {2}API ((?:\s+http:\S+)+)\n/m.exec(output)?.[1] ?? '').trim().split(/\s+/),
    apiKey: credentials.api_key,
    output: () => output,
    waitFor,
    pid: record().owner.pid,
    pids,
    kill: (name) => {
      const pid = name === 'supervisor' ? record().owner.pid : pids()[name];
      if (pid === undefined) throw new Error(`${name} does not run`);
      process.kill(pid, 'SIGKILL');
    },
    stop: async () => {
      child.kill('SIGINT');
      const [code] = await exited;
      return code;
    },
  };
};
