import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LocalPorts, localFiles, readLocalPorts, SERVER_PORT_NAMES } from '../config/local-stack.ts';
import { peerKeyName } from '../p2p/engine-address.ts';
import { processName } from '../processes/roster.ts';
import { allocatePorts, isPortFree } from '../stack/ports.ts';

/** How many processes of each kind a local stack runs. */
export interface LocalCounts {
  readonly workers: number;
  readonly apis: number;
  readonly projectors: number;
}

export const ONE_OF_EACH: LocalCounts = { workers: 1, apis: 1, projectors: 1 };

const indices = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** The key files of a data directory; each holds 32 random bytes in hex. */
const KEY_NAMES = [
  'master.key',
  'engine.key',
  'commands.key',
  'checkpoint.key',
  'anchor.key',
  'postgres.password',
] as const;

export interface LocalHome {
  readonly home: string;
  readonly ports: LocalPorts;
  readonly postgresPassword: string;
  /** By index, the port of each worker's peer. */
  readonly meshPorts: readonly number[];
  /** By index from 1 on, the port of each API but the first, whose port is a setting. */
  readonly moreApiPorts: readonly number[];
  /** Path below the data directory. */
  path(...parts: string[]): string;
}

/**
 * Makes the folders and secrets of a data directory and notes the ports of its servers. What exists is kept, except a
 * port that something else has taken meanwhile.
 */
export const prepareHome = async (home: string, counts: LocalCounts = ONE_OF_EACH): Promise<LocalHome> => {
  const path = (...parts: string[]) => join(home, ...parts);
  // PostgreSQL's user passes through the data directory; the secrets lie in folders of their own.
  await mkdir(home, { recursive: true, mode: 0o755 });
  for (const folder of ['keys', 'logs', 'run', 'nodes', 'tee', 'temporal']) {
    await mkdir(path(folder), { recursive: true, mode: 0o700 });
    await chmod(path(folder), 0o700);
  }
  const peerKeys = indices(counts.workers).map(peerKeyName);
  for (const name of [...KEY_NAMES, ...peerKeys]) await secretFile(path('keys', name));
  const { postgresPassword } = localFiles(home);
  const more = (kind: 'worker' | 'api', count: number): string[] =>
    indices(count)
      .slice(1)
      .map((index) => processName(kind, String(index)));
  const [workers, apis] = [more('worker', counts.workers), more('api', counts.apis)];
  const ports = await rememberPorts(home, [...workers, ...apis]);
  const portsOf = (names: readonly string[]): number[] =>
    names.map((name) => ports.processes[name] as number);
  return {
    home,
    path,
    ports,
    meshPorts: [ports.mesh, ...portsOf(workers)],
    moreApiPorts: portsOf(apis),
    postgresPassword: (await readFile(postgresPassword, 'utf8')).trim(),
  };
};

/** Creates a file of 32 random bytes in hex, unless it exists. */
export const secretFile = async (file: string): Promise<void> => {
  const exists = await readFile(file).then(
    () => true,
    () => false,
  );
  if (!exists) await writeWhole(file, `${randomBytes(32).toString('hex')}\n`);
};

/** Writes a private file whole or not at all: a start that is cut short leaves no half secret. */
export const writeWhole = async (file: string, content: string): Promise<void> => {
  const partial = `${file}.${process.pid}.new`;
  await writeFile(partial, content, { mode: 0o600 });
  await rename(partial, file);
};

/** Notes a port for every server and for each of `processes`; those of processes that do not run now are kept. */
const rememberPorts = async (home: string, processes: readonly string[]): Promise<LocalPorts> => {
  const noted = readLocalPorts(home);
  const fresh = await allocatePorts(SERVER_PORT_NAMES.length + processes.length);
  const portOf = async (port: number | undefined): Promise<number> => {
    const spare = fresh.pop() as number;
    return port !== undefined && (await isPortFree(port)) ? port : spare;
  };
  const allOf = async <Name extends string>(
    names: readonly Name[],
    before: Readonly<Record<string, number>> | undefined,
  ) => {
    const entries = names.map(async (name) => [name, await portOf(before?.[name])] as const);
    return Object.fromEntries(await Promise.all(entries)) as Record<Name, number>;
  };
  const { processes: kept = {}, ...servers } = noted ?? {};
  const ports: LocalPorts = {
    ...(await allOf(SERVER_PORT_NAMES, servers)),
    processes: { ...kept, ...(await allOf(processes, kept)) },
  };
  await writeWhole(localFiles(home).ports, `${JSON.stringify(ports, null, 2)}\n`);
  return ports;
};
