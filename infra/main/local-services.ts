import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalStack } from '../config/local-stack.ts';
import type { ProcessSpec } from '../stack/process.ts';
import type { LocalHome } from './local-home.ts';
import type { LocalNode } from './local-nodes.ts';

/** Settings of every process of a local stack, on top of the user's own environment. */
export const serviceEnvironment = (
  home: LocalHome,
  stack: Pick<LocalStack, 'databaseUrl' | 'temporalAddress'> & { readonly temporalUiUrl: string | null },
  port: number,
): NodeJS.ProcessEnv => ({
  ...process.env,
  AIVILLAGE_HOME: home.home,
  DATABASE_URL: stack.databaseUrl,
  TEMPORAL_ADDRESS: stack.temporalAddress,
  ...(stack.temporalUiUrl === null ? {} : { TEMPORAL_UI_URL: stack.temporalUiUrl }),
  PORT: `${port}`,
  MESH_PORT: `${home.ports.mesh}`,
});

/** API, worker, projector and the nodes, each a process of its own. */
export const localServices = (
  home: LocalHome,
  nodes: readonly LocalNode[],
  env: NodeJS.ProcessEnv,
  port: number,
): ProcessSpec[] => {
  const service = (
    name: string,
    program: string,
    args: string[],
    isReady?: () => Promise<boolean>,
  ): ProcessSpec => {
    const logFile = home.path('logs', `${name}.log`);
    return {
      name,
      command: process.execPath,
      args: [join(import.meta.dirname, program), ...args],
      env,
      logFile,
      isReady: isReady ?? (() => saysReady(logFile)),
    };
  };
  return [
    service('worker', 'worker.ts', []),
    service('projector', 'projector.ts', []),
    service('api', 'api.ts', [], () => answers(`http://127.0.0.1:${port}/v1/system/health/live`)),
    ...nodes.map(({ profile, configFile }) => service(`node-${profile.name}`, 'node.ts', [configFile])),
  ];
};

/** A service without a port of its own logs a line whose message has the word "ready" once it does its work. */
const saysReady = async (logFile: string): Promise<boolean> =>
  /"msg":"[^"]*\bready\b/.test(await readFile(logFile, 'utf8'));

const answers = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    (response) => response.ok,
    () => false,
  );
