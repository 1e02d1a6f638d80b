import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EnclaveRequested } from '../../../domain/enclave/events.ts';
import { newEvent } from '../../../domain/event.ts';
import { NO_STREAM } from '../../../domain/ports/event-store.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { enclaveStory } from '../../../test/support/stories/enclave.ts';
import { createEnclaveOutputs } from '../../artifacts/enclave-outputs.ts';
import { createPostgresArtifacts } from '../../artifacts/postgres.ts';
import { createMemoryEventStore } from '../../event-store/memory/store.ts';
import { createSigner } from '../../keys/signer.ts';
import { migrate } from '../../postgres/migrate.ts';
import { createPool } from '../../postgres/pool.ts';
import { createMeshHandlers, type MeshHandlerDeps } from './mesh-handlers.ts';

const now = () => '2026-01-01T00:00:00.000Z';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 4 });
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

test('a node stores one output in the submitter’s name, while its enclave runs, and nothing before or after', async () => {
  const store = createMemoryEventStore();
  const artifacts = createPostgresArtifacts({
    pool,
    signer: createSigner([new Uint8Array(32).fill(3)]),
    now,
  });
  const { storeOutput } = createMeshHandlers({
    store,
    artifacts,
    outputs: createEnclaveOutputs(pool),
    pool,
    now,
  } as unknown as MeshHandlerDeps);

  // The longest story: requested, created, attested, started, finished, destroyed.
  const { stream: enclaveId, events } = enclaveStory(1, (most) => most - 1);
  const { providerId, submitter } = events[0] as EnclaveRequested;
  let revision = NO_STREAM;
  const append = async (type: string): Promise<void> => {
    const event = events.find((each) => each.type === type);
    if (!event) throw new Error(`no ${type}`);
    const context = {
      occurredAt: now(),
      actor: 'engine',
      correlationId: enclaveId,
      causationId: enclaveId,
      traceparent: null,
    };
    const appended = await store.append({
      stream: enclaveId,
      expectedRevision: revision,
      events: [newEvent(event, context)],
    });
    if (!appended.ok) throw new Error('not appended');
    revision += 1n;
  };
  const send = (text: string, from = providerId) => {
    const bytes = new TextEncoder().encode(text);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return storeOutput(from, { enclaveId, sha256 }, bytes);
  };
  const isKept = async (text: string) =>
    (await artifacts.find(createHash('sha256').update(text).digest('hex'), submitter)) !== null;

  for (const type of ['enclave.requested', 'enclave.created', 'enclave.attested']) {
    await append(type);
    expect(await send('early')).toMatchObject({ ok: false, code: 'CONFLICT' });
  }
  await append('enclave.run-started');
  expect(await send('output', 'provider-other')).toMatchObject({ code: 'RESOURCE_NOT_FOUND' });
  expect(await send('output')).toEqual({ ok: true, value: null });
  expect(await send('output')).toEqual({ ok: true, value: null });
  expect(await send('another')).toMatchObject({ ok: false, code: 'CONFLICT' });
  for (const type of ['enclave.run-finished', 'enclave.destroyed']) {
    await append(type);
    expect(await send('late')).toMatchObject({ ok: false, code: 'CONFLICT' });
  }
  expect(await Promise.all(['early', 'output', 'another', 'late'].map(isKept))).toEqual([
    false,
    true,
    false,
    false,
  ]);
});
