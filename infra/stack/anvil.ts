import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { ProcessSpec } from './process.ts';

export interface AnvilOptions {
  /** Where the chain is kept; null for memory only. */
  readonly stateFile: string | null;
  /** Seconds between two saves, for an end without notice; by default so many that a long chain costs little. */
  readonly saveSeconds?: number;
  readonly logFile: string;
  readonly port: number;
}

/**
 * A save writes the whole chain: 8 MB and 60 ms of CPU after 2,000 blocks. Whoever anchors sends again what a crash takes
 * away.
 */
const SAVE_SECONDS = 10;

const PLATFORMS: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** The program of the npm platform package; null where the package is not installed or there is none for the platform. */
export const anvilBinary = (): string | null => {
  const { platform, arch } = process;
  const name = `@foundry-rs/anvil-${platform}-${PLATFORMS[arch] ?? arch}`;
  try {
    const { resolve } = createRequire(import.meta.url);
    return resolve(`${name}/bin/anvil${platform === 'win32' ? '.exe' : ''}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
};

/** A chain for development on 127.0.0.1, which mines a block for every transaction; null without the program. */
export const prepareAnvil = async ({
  stateFile,
  saveSeconds = SAVE_SECONDS,
  logFile,
  port,
}: AnvilOptions): Promise<ProcessSpec | null> => {
  const command = anvilBinary();
  if (command === null) return null;
  if (stateFile !== null) {
    await mkdir(dirname(stateFile), { recursive: true, mode: 0o700 });
    await setAsideIfBroken(stateFile);
  }
  return {
    name: 'anvil',
    command,
    args: [
      ...['--host', '127.0.0.1', '--port', `${port}`, '--quiet', '--accounts', '1'],
      // No page of another origin may call it.
      '--no-cors',
      ...(stateFile === null ? [] : ['--state', stateFile, '--state-interval', `${saveSeconds}`]),
    ],
    env: { HOME: process.env['HOME'], PATH: process.env['PATH'] },
    logFile,
    isReady: () => isServing(anvilUrl(port)),
  };
};

export const anvilUrl = (port: number): string => `http://127.0.0.1:${port}`;

/** A file that a crash has cut off would keep the chain from starting for ever; without it a new chain begins. */
const setAsideIfBroken = async (stateFile: string): Promise<void> => {
  if (!existsSync(stateFile)) return;
  try {
    JSON.parse(await readFile(stateFile, 'utf8'));
  } catch {
    await rename(stateFile, `${stateFile}.broken`);
  }
};

const isServing = async (url: string): Promise<boolean> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }),
    signal: AbortSignal.timeout(2_000),
  }).catch(() => null);
  return response?.ok === true;
};
