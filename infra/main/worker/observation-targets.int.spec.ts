import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { enclavesTable } from '../../../projections/enclaves/table.ts';
import { providersTable } from '../../../projections/providers/table.ts';
import { READ_MODELS } from '../../../projections/read-models.ts';
import { prepareReadModels } from '../../../projections/runner.ts';
import { type Table, writeRows } from '../../../projections/table.ts';
import { drawsTable, topologiesTable } from '../../../projections/topologies/table.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { createHeartbeats } from '../../p2p/heartbeats.ts';
import { migrate } from '../../postgres/migrate.ts';
import { createPool } from '../../postgres/pool.ts';
import { createObservationTargets } from './observation-targets.ts';

const NOW = '2026-01-01T01:30:00.000Z';
const NETWORK = 'test';

let database: TestDatabase;
let pool: Pool;

/** What a test says of a row; the rest is null. */
const insert = async <Row>(table: Table<Row>, rows: readonly Partial<Row>[]): Promise<void> => {
  await writeRows(pool, table, `fog.${table.name}`, rows);
};

const epoch = (number: number) => ({
  topologyId: `topology-${number}`,
  network: NETWORK,
  epoch: number,
  state: 'active',
  startsAt: `2026-01-01T0${number}:00:00.000Z`,
  endsAt: `2026-01-01T0${number + 1}:00:00.000Z`,
  holdsUntil: `2026-01-01T0${number + 2}:00:00.000Z`,
  beacon: 'ab',
});

const draw = (number: number, nodeId: string, ...neighbours: string[]) => ({
  topologyId: `topology-${number}`,
  nodeId,
  neighbours,
});

const enclave = (enclaveId: string, providerId: string, codeHash: string, at: string, attested = true) => ({
  enclaveId,
  providerId,
  codeHash,
  jobId: `job of ${enclaveId}`,
  requestedAt: at,
  attestedAt: attested ? at : null,
});

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test-targets', max: 4 });
  await prepareReadModels(pool, READ_MODELS);
  await insert(
    providersTable,
    ['a', 'b', 'c', 'd', 'e'].map((id) => ({ providerId: id, publicKey: `key-${id}`, owner: `owner-${id}` })),
  );
  await insert(topologiesTable, [epoch(0), epoch(1)]);
  await insert(drawsTable, [draw(1, 'a', 'b'), draw(0, 'c', 'a'), draw(1, 'd', 'b')]);
  await insert(enclavesTable, [
    enclave('enclave-1', 'a', 'old', '2026-01-01T00:00:00.000Z'),
    enclave('enclave-2', 'a', 'new', '2026-01-01T01:00:00.000Z'),
    enclave('enclave-3', 'a', 'refused', '2026-01-01T01:10:00.000Z', false),
    enclave('enclave-4', 'e', 'other', '2026-01-01T01:00:00.000Z'),
  ]);
  const { record } = createHeartbeats(pool);
  // The provider names a friend that nobody drew; the friend agrees.
  await record('a', NOW, ['b', 'c', 'd']);
  await record('b', NOW, ['a']);
  await record('c', NOW, ['a']);
  await record('d', NOW, ['a', 'b']);
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

const targets = (...connected: string[]) =>
  createObservationTargets({ pool, network: NETWORK, connected: async () => connected, now: () => NOW })();

it('are providers with the newest module that they have hosted, and neighbours by the draws of both epochs', async () => {
  expect(await targets('a', 'b', 'c', 'd', 'e')).toEqual([
    {
      providerId: 'a',
      providerKey: 'key-a',
      owner: 'owner-a',
      jobId: 'job of enclave-2',
      artifact: 'new',
      neighbours: [
        { id: 'b', key: 'key-b', owner: 'owner-b' },
        { id: 'c', key: 'key-c', owner: 'owner-c' },
      ],
    },
    {
      providerId: 'e',
      providerKey: 'key-e',
      owner: 'owner-e',
      jobId: 'job of enclave-4',
      artifact: 'other',
      neighbours: [],
    },
  ]);
});

it('and their observers are within reach, and say themselves that they are connected', async () => {
  const observersOfA = async (...connected: string[]) =>
    (await targets('a', ...connected))[0]?.neighbours.map(({ id }) => id);
  expect(await observersOfA('c', 'd')).toEqual(['c']);
  await createHeartbeats(pool).record('b', NOW, ['d']);
  expect(await observersOfA('b', 'c')).toEqual(['c']);
  expect(await targets('b', 'c')).toEqual([]);
});

it('are none before the network has an epoch', async () => {
  const elsewhere = { pool, network: 'other', connected: async () => ['a', 'b', 'c'], now: () => NOW };
  expect(await createObservationTargets(elsewhere)()).toEqual([]);
});
