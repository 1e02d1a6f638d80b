import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCAL_PORT_NAMES, type LocalPorts, localFiles, readLocalPorts } from '../config/local-stack.ts';
import { allocatePorts, isPortFree } from '../stack/ports.ts';

/** The key files of a data directory; each holds 32 random bytes in hex. */
const KEY_NAMES = [
  'master.key',
  'engine.key',
  'engine-peer.key',
  'checkpoint.key',
  'anchor.key',
  'postgres.password',
] as const;

export interface LocalHome {
  readonly home: string;
  readonly ports: LocalPorts;
  readonly postgresPassword: string;
  /** Path below the data directory. */
  path(...parts: string[]): string;
}

/**
 * Makes the folders and secrets of a data directory and notes the ports of its servers. What exists is kept, except a
 * port that something else has taken meanwhile.
 */
export const prepareHome = async (home: string): Promise<LocalHome> => {
  const path = (...parts: string[]) => join(home, ...parts);
  // PostgreSQL's user passes through the data directory; the secrets lie in folders of their own.
  await mkdir(home, { recursive: true, mode: 0o755 });
  for (const folder of ['keys', 'logs', 'run', 'nodes', 'tee', 'temporal']) {
    await mkdir(path(folder), { recursive: true, mode: 0o700 });
    await chmod(path(folder), 0o700);
  }
  for (const name of KEY_NAMES) await secretFile(path('keys', name));
  const { postgresPassword } = localFiles(home);
  return {
    home,
    path,
    ports: await rememberPorts(home),
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

const rememberPorts = async (home: string): Promise<LocalPorts> => {
  const noted = readLocalPorts(home);
  const fresh = await allocatePorts(LOCAL_PORT_NAMES.length);
  const ports = Object.fromEntries(
    await Promise.all(
      LOCAL_PORT_NAMES.map(async (name, index) => {
        const port = noted?.[name];
        return [name, port !== undefined && (await isPortFree(port)) ? port : fresh[index]] as const;
      }),
    ),
  ) as LocalPorts;
  await writeWhole(localFiles(home).ports, `${JSON.stringify(ports, null, 2)}\n`);
  return ports;
};
