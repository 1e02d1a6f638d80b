import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { domainEventOf } from '../../domain/event.ts';
import { account, LEDGER_STREAM, type LedgerEvent } from '../../domain/ledger/events.ts';
import { emptyLedger, evolveLedger } from '../../domain/ledger/fold.ts';
import { units } from '../../domain/money.ts';
import { INFRASTRUCTURE_TYPES } from '../../domain/tiers.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { ONE_OF_EACH, prepareHome } from './local-home.ts';
import { ensureDatabase, setUp } from './setup.ts';

let directory: string;
let database: TestDatabase;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'aivillage-setup-'));
  database = await createTestDatabase();
});
afterEach(async () => {
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

const start = async (port: number, ...meshPorts: number[]) => {
  const home = await prepareHome(directory, { ...ONE_OF_EACH, workers: meshPorts.length });
  const apiUrl = `http://127.0.0.1:${port}`;
  const setup = await setUp(home, { databaseUrl: database.url, apiUrl, meshPorts });
  const configs = await Promise.all(
    setup.nodes.map(
      async ({ configFile }) => JSON.parse(await readFile(configFile, 'utf8')) as Record<string, unknown>,
    ),
  );
  return { home, setup, configs };
};

const ledger = async () => {
  const store = createPostgresEventStore({ url: database.url });
  const events = await store.readStream(LEDGER_STREAM);
  await store.close();
  return events.map((event) => domainEventOf<LedgerEvent>(event)).reduce(evolveLedger, emptyLedger);
};

test('R71: the first start prepares one node per infrastructure type, distinct in every hard rule', async () => {
  const { configs } = await start(8000, 4001);
  const distinct = (key: string) => new Set(configs.map((config) => config[key])).size;
  expect(configs.map((config) => config['infrastructureType']).sort()).toEqual(
    [...INFRASTRUCTURE_TYPES].sort(),
  );
  for (const key of ['name', 'owner', 'asn', 'region']) expect(distinct(key)).toBe(6);
  for (const config of configs) expect(config['tops']).toBeGreaterThanOrEqual(500);
});

test('secrets are readable by their owner alone', async () => {
  await start(8000, 4001);
  const secrets = [
    'credentials.json',
    'keys/master.key',
    'keys/engine.key',
    'keys/commands.key',
    'keys/engine-peer.key',
    'keys/postgres.password',
    'tee/root/ask.key',
    'nodes/edge/node.key',
    'nodes/edge/chip/vcek.key',
  ];
  for (const file of secrets) expect((await stat(join(directory, file))).mode & 0o777, file).toBe(0o600);
});

test('a second start changes nothing but the addresses', async () => {
  const first = await start(8000, 4001);
  const before = await ledger();
  const configFile = first.setup.nodes[0]?.configFile as string;
  await writeFile(configFile, JSON.stringify({ ...first.configs[0], tops: 7_000 }));

  const second = await start(9000, 4002);

  expect(second.setup.apiKey).toBe(first.setup.apiKey);
  expect(second.home.ports).toEqual(first.home.ports);
  expect(second.configs[0]).toMatchObject({ tops: 7_000, owner: first.configs[0]?.['owner'] });
  expect(second.configs.every(({ engines }) => (engines as string[])[0]?.includes('/tcp/4002/p2p/'))).toBe(
    true,
  );
  expect(JSON.parse(await readFile(join(directory, 'credentials.json'), 'utf8'))).toEqual({
    api_url: 'http://127.0.0.1:9000',
    api_key: first.setup.apiKey,
  });
  expect(await ledger()).toEqual(before);
});

test('every worker has a key and a port of its own, kept over starts, and nodes dial all of them', async () => {
  const counts = { workers: 3, apis: 2, projectors: 1 };
  const { meshPorts, moreApiPorts } = await prepareHome(directory, counts);
  expect(new Set([...meshPorts, ...moreApiPorts]).size).toBe(4);
  const { configs } = await start(8000, ...meshPorts);
  for (const { engines } of configs) {
    const addresses = (engines as string[]).map((engine) => engine.split('/'));
    expect(addresses.map((parts) => Number(parts[4]))).toEqual(meshPorts);
    expect(new Set(addresses.map((parts) => parts.at(-1))).size).toBe(3);
  }
  const fewer = await start(8000, meshPorts[0] as number);
  expect(fewer.configs.map(({ engines }) => (engines as string[]).length)).toEqual([1, 1, 1, 1, 1, 1]);
  const again = await prepareHome(directory, counts);
  expect([again.meshPorts, again.moreApiPorts]).toEqual([meshPorts, moreApiPorts]);
});

test('play money comes from outside once, and the ledger sums to zero', async () => {
  const { configs } = await start(8000, 4001);
  const { balances } = await ledger();
  for (const { owner } of configs) expect(balances[account.available(owner as string)]).toBe('1000000000');
  expect(balances[account.external]).toBe('-16000000000');
  expect(Object.values(balances).reduce((sum, balance) => sum + units(balance), 0n)).toBe(0n);
});

test('a start that was cut short is completed', async () => {
  const home = await prepareHome(directory);
  await rm(home.path('keys', 'engine.key'));
  await chmod(home.path('keys'), 0o755);
  await start(8000, 4001);
  expect((await stat(home.path('keys'))).mode & 0o777).toBe(0o700);
  expect(await readFile(home.path('keys', 'engine.key'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
});

test('settled 42: a node whose folder was lost comes back with another key on another chip', async () => {
  const { home } = await start(8000, 4001);
  const facts = async () => {
    const chip = JSON.parse(
      await readFile(home.path('nodes', 'edge', 'chip', 'chip.json'), 'utf8'),
    ) as object;
    return { chip, key: await readFile(home.path('nodes', 'edge', 'node.key'), 'utf8') };
  };
  const before = await facts();
  await start(8000, 4001);
  expect(await facts()).toEqual(before);
  await rm(home.path('nodes', 'edge'), { recursive: true });
  await start(8000, 4001);
  const { chip, key } = await facts();
  expect(key).not.toBe(before.key);
  expect(chip).not.toEqual(before.chip);
});

test('the database is created once', async () => {
  const url = new URL(database.url);
  url.pathname = `${url.pathname}_created`;
  const name = url.pathname.slice(1);
  await ensureDatabase(url.href);
  await ensureDatabase(url.href);
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
  await client.query(`drop database if exists ${name}`);
  await client.end();
  expect(rowCount).toBe(1);
});
