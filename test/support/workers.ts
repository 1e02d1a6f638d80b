import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { allocatePort } from '../../infra/stack/ports.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');

export interface WorkerProcess {
  readonly meshPort: number;
  /** All that it has logged so far. */
  output(): string;
  /** SIGKILL, SIGSTOP or SIGCONT; resolves after its end where the signal ends it. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  hasEnded(): boolean;
  /** Ends it in order; resolves when it is gone. */
  stop(): Promise<void>;
}

/** Starts one more worker on the data directory of a running stack, and resolves when it serves. */
export const startWorkerProcess = async (
  home: string,
  options: { readonly index: number; readonly meshPort?: number; readonly env?: NodeJS.ProcessEnv },
): Promise<WorkerProcess> => {
  const { index, env } = options;
  const meshPort = options.meshPort ?? (await allocatePort());
  const child: ChildProcess = spawn(
    process.execPath,
    ['--single-threaded-gc', join(ROOT, 'infra', 'main', 'worker.ts')],
    {
      env: {
        TOPOLOGY_EPOCH_SECONDS: '604800',
        OBSERVATION_ROUND_SECONDS: '86400',
        OBSERVATION_ROUNDS: '64',
        ...process.env,
        ...env,
        AIVILLAGE_HOME: home,
        INSTANCE_NAME: `${index}`,
        WORKER_INDEX: `${index}`,
        MESH_PORT: `${meshPort}`,
        LOG_LEVEL: 'info',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const exited = once(child, 'exit');
  const ready = Promise.withResolvers<void>();
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      if (output.includes('"msg":"worker ready"')) ready.resolve();
    });
  }
  void exited.then(([code]) => ready.reject(new Error(`the worker ended with ${code}\n${output}`)));
  await ready.promise;
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    meshPort,
    output: () => output,
    hasEnded,
    async signal(signal) {
      child.kill(signal);
      if (signal === 'SIGKILL') await exited;
    },
    async stop() {
      if (hasEnded()) return;
      child.kill('SIGTERM');
      await exited;
    },
  };
};
