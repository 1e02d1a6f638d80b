import { chmod, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createTestDatabase } from '../../test/support/postgres.ts';
import { allocatePort } from './ports.ts';
import { postgresUrl, preparePostgres, startPostgres } from './postgres.ts';
import { openProcessRegistry } from './process-registry.ts';
import { createSupervisor } from './supervisor.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'aivillage-postgres-'));
  await chmod(directory, 0o755);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const query = async (url: string, text: string): Promise<unknown[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
};

const options = () => ({
  directory: join(directory, 'postgres'),
  logFile: join(directory, 'postgres.log'),
  password: 'correct',
  durable: true,
});

test('every test database is fresh, in UTF-8, and gone after drop', async () => {
  const first = await createTestDatabase();
  const second = await createTestDatabase();
  await query(first.url, 'create table mark (id int)');
  const tables = "select tablename from pg_tables where schemaname = 'public'";
  expect(await query(second.url, tables)).toEqual([]);
  expect(await query(first.url, 'show server_encoding')).toEqual([{ server_encoding: 'UTF8' }]);
  await Promise.all([first.drop(), second.drop()]);
  await expect(query(first.url, 'select 1')).rejects.toThrow('does not exist');
});

test('a server with a password listens on loopback alone, durably, and refuses another password', async () => {
  const server = await startPostgres(options());
  try {
    const settings = `select name, setting from pg_settings
      where name in ('fsync', 'listen_addresses', 'unix_socket_directories') order by name`;
    expect(await query(server.url, settings)).toEqual([
      { name: 'fsync', setting: 'on' },
      { name: 'listen_addresses', setting: '127.0.0.1' },
      { name: 'unix_socket_directories', setting: '' },
    ]);
    await expect(query(postgresUrl(server.port, 'wrong'), 'select 1')).rejects.toThrow('password');
  } finally {
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  }
});

test('a killed server comes back on its port with everything that was committed', async () => {
  const report = vi.fn<(line: string) => void>();
  const registry = await openProcessRegistry(join(directory, 'processes.json'), report);
  const supervisor = createSupervisor({ registry, report });
  const port = await allocatePort();
  try {
    await supervisor.start(await preparePostgres({ ...options(), port }));
    const url = postgresUrl(port, 'correct');
    await query(url, 'create table kept as select generate_series(1, 1000) as id');
    process.kill(supervisor.pids().get('postgres') as number, 'SIGKILL');
    await vi.waitFor(() => expect(report).toHaveBeenCalledWith('postgres is up again'), { timeout: 30_000 });
    expect(await query(url, 'select count(*)::int as kept from kept')).toEqual([{ kept: 1000 }]);
  } finally {
    await supervisor.stop();
  }
});

test.runIf(process.getuid?.() === 0)('root keeps the data where the server’s user can reach it', async () => {
  const closed = join(directory, 'closed');
  await mkdir(closed, { mode: 0o700 });
  const given = { ...options(), directory: join(closed, 'postgres'), durable: false };
  await (await startPostgres(given)).stop();
  const data = (await readFile(join(given.directory, 'location'), 'utf8')).trim();
  try {
    expect(data.startsWith(directory)).toBe(false);
    expect((await stat(data)).mode & 0o777).toBe(0o700);
    const again = await startPostgres(given);
    expect(await query(again.url, 'show data_directory')).toEqual([{ data_directory: data }]);
    await again.stop();
  } finally {
    await rm(dirname(data), { recursive: true, force: true });
  }
});
