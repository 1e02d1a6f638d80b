import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anvilUrl, prepareAnvil } from '../../infra/stack/anvil.ts';
import { allocatePort } from '../../infra/stack/ports.ts';
import { launchProcess, type RunningProcess } from '../../infra/stack/process.ts';

/** A chain of a test's own. */
export interface TestChain {
  readonly url: string;
  /** A JSON-RPC call. @throws what the chain refused it with. */
  call<T>(method: string, ...params: unknown[]): Promise<T>;
  /** Takes the chain back to its first block, as if nothing had happened. Not after a crash. */
  reset(): Promise<void>;
  /** Ends the process like a power cut and starts it again on what it had saved. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** @param keep whether the chain is saved, so that it outlives its process. */
export const startChain = async ({ keep = false } = {}): Promise<TestChain> => {
  const directory = await mkdtemp(join(tmpdir(), 'aivillage-anvil-'));
  const port = await allocatePort();
  const spec = await prepareAnvil({
    stateFile: keep ? join(directory, 'state.json') : null,
    saveSeconds: 1,
    logFile: join(directory, 'anvil.log'),
    port,
  });
  if (spec === null) throw new Error('the platform package of anvil is not installed');
  let running: RunningProcess = await launchProcess(spec);
  const url = anvilUrl(port);
  const call = async <T>(method: string, ...params: unknown[]): Promise<T> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    const { result, error } = (await response.json()) as { result: T; error?: { message: string } };
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  };
  let start = await call<string>('evm_snapshot');
  return {
    url,
    call,
    reset: async () => {
      await call('evm_revert', start);
      start = await call<string>('evm_snapshot');
    },
    crash: async () => {
      process.kill(running.pid, 'SIGKILL');
      await running.exited;
      running = await launchProcess(spec);
    },
    stop: async () => {
      await running.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
