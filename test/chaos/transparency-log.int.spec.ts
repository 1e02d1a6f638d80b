import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Pool } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { merkleTree } from '../../domain/merkle.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { leafOf } from '../../infra/event-store/hash.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { growLog } from '../../infra/tlog/grow.ts';
import { createCheckpointSigner } from '../../infra/tlog/signer.ts';
import { verifyCheckpoint } from '../../infra/verify/index.ts';
import { sampleAppend } from '../contract/events.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const SEED = new Uint8Array(32).fill(11);
const KILLS = 12;
/** Two processes at a time: neither knows of the other. */
const GROWERS = 2;

let database: TestDatabase;
let pool: Pool;
let store: EventStore;

beforeEach(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 8 });
  store = createPostgresEventStore({ pool });
});
afterEach(async () => {
  await store.close();
  await pool.end();
  await database.drop();
});

const startGrower = (): ChildProcess =>
  spawn(
    process.execPath,
    [
      fileURLToPath(new URL('./log-grower.ts', import.meta.url)),
      database.url,
      Buffer.from(SEED).toString('hex'),
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );

const writeUntil = async (signal: AbortSignal): Promise<void> => {
  for (let stream = 0; !signal.aborted; stream++)
    await store.append(sampleAppend(`stream-${stream}`, NO_STREAM, 1 + (stream % 40)));
};

const tiles = async (): Promise<unknown[]> =>
  (await pool.query('select level, index, hashes from log.tiles order by level, index')).rows;
const signedSize = async (): Promise<bigint> =>
  (await pool.query<{ size: bigint }>('select coalesce(max(size), 0) as size from log.checkpoints')).rows[0]
    ?.size ?? 0n;

test('killed -9 again and again, the log stays one tree, and every head it signed is of this tree', {
  timeout: 240_000,
}, async () => {
  const stop = new AbortController();
  const writing = writeUntil(stop.signal);
  for (let kill = 0; kill < KILLS; kill++) {
    const before = await signedSize();
    const growers = Array.from({ length: GROWERS }, startGrower);
    const exits = growers.map((grower) => once(grower, 'exit'));
    await expect.poll(signedSize, { timeout: 30_000, interval: 1 + (kill % 7) }).toBeGreaterThan(before);
    for (const grower of growers) grower.kill('SIGKILL');
    await Promise.all(exits);
  }
  stop.abort();
  await writing;
  const signer = createCheckpointSigner([SEED]);
  const { position } = await store.head();
  while ((await growLog({ pool, signer }, position)).size < position);

  const leaves = (await store.readAll({ after: 0n, limit: 10_000_000 })).map((event) =>
    Uint8Array.from(leafOf(event)),
  );
  const { rows } = await pool.query<{ size: bigint; root: Buffer; note: string; key: string }>(
    'select size, root, note, public_key as key from log.checkpoints order by size',
  );
  expect(rows.length).toBeGreaterThanOrEqual(KILLS);
  expect(rows.at(-1)?.size).toBe(BigInt(leaves.length));
  for (const { size, root, note, key } of rows) {
    const { root: expected } = merkleTree(leaves.slice(0, Number(size)));
    expect(root.equals(expected)).toBe(true);
    expect(verifyCheckpoint({ checkpoint: note, publicKey: key })).toMatchObject({ valid: true, size });
  }
  const grown = await tiles();
  await pool.query('truncate log.tiles, log.checkpoints');
  while ((await growLog({ pool, signer }, position)).size < position);
  expect(await tiles()).toEqual(grown);
});
