import type { Pool } from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type EventStore, NO_STREAM } from '../../../domain/ports/event-store.ts';
import { sampleAppend } from '../../../test/contract/events.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { createPostgresEventStore } from '../../event-store/postgres/store.ts';
import { createSigner, type Signer } from '../../keys/signer.ts';
import { migrate } from '../../postgres/migrate.ts';
import { createPool } from '../../postgres/pool.ts';
import { growLog } from '../../tlog/grow.ts';
import { createCheckpointSigner } from '../../tlog/signer.ts';
import { createTransparencyLog } from '../../tlog/transparency-log.ts';
import { proofHealth } from './proof-health.ts';

let database: TestDatabase;
let pool: Pool;
let store: EventStore;

beforeEach(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 4 });
  store = createPostgresEventStore({ pool });
});
afterEach(async () => {
  await store.close();
  await pool.end();
  await database.drop();
});

const seed = (byte: number) => new Uint8Array(32).fill(byte);
const probe = (signer: Signer = createSigner([seed(1)])) =>
  proofHealth({
    pool,
    store,
    signer,
    transparency: createTransparencyLog(pool),
  }).probe();
const grow = async () =>
  growLog({ pool, signer: createCheckpointSigner([seed(2)]) }, (await store.head()).position);
const age = () => pool.query(`update log.events set recorded_at = recorded_at - interval '1 minute'`);

it('is well with an empty log, with a signed one, and with one that was written just now', async () => {
  expect(await probe()).toEqual({ status: 'ok', lag: 0 });
  await store.append(sampleAppend('sample-1', NO_STREAM));
  expect(await probe()).toEqual({ status: 'ok', lag: 1 });
  await age();
  await grow();
  expect(await probe()).toEqual({ status: 'ok', lag: 0 });
});

it('settled 36: tells that nobody signs any more, also while an auction is open', async () => {
  await store.append({ ...sampleAppend('auction-1', NO_STREAM) });
  await age();
  expect(await probe()).toMatchObject({
    status: 'degraded',
    lag: 1,
    cause: expect.stringMatching(/^an event of 6\d s ago is not signed yet$/),
  });
  await grow();
  const [event] = sampleAppend('auction-2', NO_STREAM).events;
  await store.append({
    stream: 'auction-2',
    expectedRevision: NO_STREAM,
    events: [{ ...(event as NonNullable<typeof event>), type: 'auction.opened' }],
  });
  await grow();
  await store.append(sampleAppend('sample-2', NO_STREAM));
  await age();
  expect(await probe()).toMatchObject({ status: 'degraded', lag: 1 });
});

it('is down where a signature or the tree does not hold', async () => {
  await store.append(sampleAppend('sample-1', NO_STREAM));
  await grow();
  const broken: Signer = { ...createSigner([seed(1)]), verify: () => false };
  expect(await probe(broken)).toMatchObject({
    status: 'down',
    cause: 'what the engine signs does not verify',
  });
  await pool.query(`update log.checkpoints set root = sha256(root)`);
  expect(await probe()).toMatchObject({ cause: 'the newest signed head is not that of the stored tree' });
  await pool.query(`update log.checkpoints set note = replace(note, E'\\n1\\n', E'\\n2\\n')`);
  expect(await probe()).toMatchObject({
    cause: 'the newest signed head does not verify: BAD_SIGNATURE',
  });
});
