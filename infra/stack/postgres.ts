import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { exists } from './exists.ts';
import { allocatePort } from './ports.ts';
import {
  isReachable,
  type PostgresBinaries,
  type PostgresUser,
  postgresBinaries,
  postgresUser,
  systemDirectory,
} from './postgres-binaries.ts';
import { canConnect, launchProcess, logTail, type ProcessSpec, type RunningProcess } from './process.ts';

const run = promisify(execFile);

export interface PostgresOptions {
  /** Holds the cluster, or the note that says where the cluster is when its user cannot reach this folder. */
  readonly directory: string;
  readonly logFile: string;
  readonly port: number;
  /** Password of the superuser `postgres`; null trusts every local connection (tests only). */
  readonly password: string | null;
  /** False gives up crash safety for speed: tests only. */
  readonly durable: boolean;
}

export interface PostgresServer extends RunningProcess {
  /** Connection string of the maintenance database `postgres`. */
  readonly url: string;
  readonly port: number;
}

/**
 * A server that shares its machine with a dozen processes: pages are in the cache of the system anyway, and plans are small.
 * It needs no processes for reading ahead nor for replication.
 */
const SMALL = [
  'shared_buffers=64MB',
  'io_method=sync',
  'max_logical_replication_workers=0',
  'jit=off',
  // For commits that do not wait for the disk; the log's own do.
  'wal_writer_delay=1s',
];

const READY_LINE = 'database system is ready to accept connections';

/** Creates the cluster when there is none and describes the server process. */
export const preparePostgres = async (options: PostgresOptions): Promise<ProcessSpec> => {
  const user = await postgresUser();
  const binaries = await postgresBinaries(user);
  const data = await clusterDirectory(options.directory, user);
  if (!(await exists(join(data, 'PG_VERSION')))) await createCluster(binaries, data, options, user);
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    `port=${options.port}`,
    'max_connections=300',
    'log_checkpoints=off',
    ...SMALL,
    ...(options.durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ];
  return {
    name: 'postgres',
    command: binaries.postgres,
    args: ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    env: { LC_ALL: 'C', TZ: 'UTC' },
    cwd: data,
    ...(user === null ? {} : { user }),
    logFile: options.logFile,
    isReady: async () => (await logTail(options.logFile)).includes(READY_LINE) && canConnect(options.port),
    // Fast shutdown. SIGTERM would wait until every client has left.
    stopSignal: 'SIGINT',
  };
};

/** Starts a server on 127.0.0.1 and waits until it accepts connections. */
export const startPostgres = async (
  options: Omit<PostgresOptions, 'port'> & { readonly port?: number },
): Promise<PostgresServer> => {
  const port = options.port ?? (await allocatePort());
  const running = await launchProcess(await preparePostgres({ ...options, port }));
  return { ...running, port, url: postgresUrl(port, options.password) };
};

/** Connection string of `database` on the local server. */
export const postgresUrl = (port: number, password: string | null, database = 'postgres'): string =>
  `postgres://postgres${password === null ? '' : `:${encodeURIComponent(password)}`}@127.0.0.1:${port}/${database}`;

/**
 * The data folder: inside `directory`, or outside when root's PostgreSQL user cannot reach it. Its name is then random
 * and noted in `directory`, so that deleting `directory` starts afresh instead of meeting old data.
 */
const clusterDirectory = async (directory: string, user: PostgresUser): Promise<string> => {
  await mkdir(directory, { recursive: true });
  const note = join(directory, 'location');
  const noted = await readFile(note, 'utf8').catch(() => null);
  if (noted !== null) return noted.trim();
  if (await isReachable(directory, user)) return join(directory, 'data');
  const elsewhere = join(await systemDirectory(), randomUUID(), 'data');
  await writeFile(note, `${elsewhere}\n`);
  return elsewhere;
};

/** Runs initdb into a clean folder: a first start that was cut short leaves no half cluster. */
const createCluster = async (
  binaries: PostgresBinaries,
  data: string,
  { password, durable }: PostgresOptions,
  user: PostgresUser,
): Promise<void> => {
  await rm(data, { recursive: true, force: true });
  await mkdir(dirname(data), { recursive: true });
  await mkdir(data, { mode: 0o700 });
  const passwordFile = join(dirname(data), `.password-${process.pid}`);
  await writeFile(passwordFile, password ?? '', { mode: 0o600 });
  if (user !== null) {
    await chmod(dirname(data), 0o755);
    for (const path of [data, passwordFile]) await chown(path, user.uid, user.gid);
  }
  const args = ['-D', data, '-U', 'postgres', '--encoding=UTF8', '--locale=C.UTF-8', '--no-instructions'];
  if (password === null) args.push('--auth=trust');
  else args.push('--auth=scram-sha-256', `--pwfile=${passwordFile}`);
  if (!durable) args.push('--no-sync');
  try {
    await run(binaries.initdb, args, {
      env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' },
      ...user,
      cwd: '/',
    });
  } catch (error) {
    await rm(data, { recursive: true, force: true });
    throw new Error(`initdb failed: ${(error as Error).message}`, { cause: error });
  } finally {
    await rm(passwordFile, { force: true });
  }
};
