import { hexToBytes } from '@noble/hashes/utils.js';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newEvent } from '../../domain/event.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { leafOf } from '../../infra/event-store/hash.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { growLog } from '../../infra/tlog/grow.ts';
import { createCheckpointSigner } from '../../infra/tlog/signer.ts';
import { verifyCheckpoint, verifyConsistency, verifyInclusion } from '../../infra/verify/index.ts';
import { sampleAppend } from '../contract/events.ts';
import { type ApiServer, type Caller, startApiServer } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const signer = createCheckpointSigner([new Uint8Array(32).fill(9)]);
const PROOF_ID = 'proof-00000000000000000000000001';
const PROOF = { proofId: PROOF_ID, record: { jobId: 'job-1', providerId: 'provider-1' } };

let database: TestDatabase;
let pool: Pool;
let store: EventStore;
let api: ApiServer;

interface Head {
  readonly size: string;
  readonly checkpoint: string;
  readonly consistency: readonly string[];
}
interface Inclusion {
  readonly size: string;
  readonly root: string;
  readonly path: readonly string[];
  readonly checkpoint: string | null;
}
interface Steps {
  readonly root1: string;
  readonly root2: string;
  readonly path: readonly string[];
}
interface Batch {
  readonly batch_id: string;
  readonly results: readonly object[];
}

const grow = async (): Promise<bigint> => {
  const { position } = await store.head();
  await growLog({ pool, signer }, position);
  return position;
};
const bytes = (hashes: readonly string[]): Uint8Array[] => hashes.map((hash) => hexToBytes(hash));

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 8 });
  store = createPostgresEventStore({ pool });
  api = await startApiServer({ databaseUrl: database.url, pool, store });
});
afterAll(async () => {
  await api?.stop();
  await store?.close();
  await pool?.end();
  await database?.drop();
});

describe('the transparency log over HTTP, asked by nobody in particular', () => {
  it('has nothing to show before its first checkpoint', async () => {
    await store.append(sampleAppend('sample-0', NO_STREAM, 2));
    for (const path of ['checkpoint', 'proof/1', 'consistency?from=1&to=2', 'tile/0/0'])
      expect(await api.anybody.get(`/v1/log/${path}`)).toMatchObject({
        status: 404,
        body: { code: 'RESOURCE_NOT_FOUND' },
      });
  });

  it('R46: proves each event, and each head from any head before, to who trusts only its key', async () => {
    await store.append(sampleAppend('sample-1', NO_STREAM, 300));
    const first = await grow();
    const older = (await api.anybody.get<Head>('/v1/log/checkpoint')).body;
    expect(older).toMatchObject({ size: String(first), consistency: [], anchors: [] });
    await store.append(sampleAppend('sample-2', NO_STREAM, 45));
    await grow();

    const { body } = await api.anybody.get<Head>(`/v1/log/checkpoint?from_size=${older.size}`);
    const trusted = { publicKey: signer.publicKey, origin: signer.origin };
    const [head1, head2] = [older, body].map(({ checkpoint }) =>
      verifyCheckpoint({ ...trusted, checkpoint }),
    );
    if (!head1?.valid || !head2?.valid) throw new Error('a checkpoint does not verify');
    expect(String(head2.size)).toBe(body.size);
    const consistent = { size1: head1.size, size2: head2.size, root1: head1.root, root2: head2.root };
    expect(verifyConsistency({ ...consistent, path: bytes(body.consistency) })).toBe(true);

    for (const event of await store.readAll({ after: 0n, limit: 1000 })) {
      if (event.position % 29n !== 1n) continue;
      for (const [query, head] of [
        ['', head2],
        [`?size=${head1.size}`, head1],
      ] as const) {
        const answer = await api.anybody.get<Inclusion>(`/v1/log/proof/${event.position}${query}`);
        if (event.position > head.size) {
          expect(answer.status).toBe(404);
          continue;
        }
        expect(answer.body).toMatchObject({
          index: String(event.position - 1n),
          size: String(head.size),
          checkpoint: head === head1 ? older.checkpoint : body.checkpoint,
        });
        const proof = { index: event.position - 1n, size: head.size, root: head.root };
        const path = bytes(answer.body.path);
        expect(verifyInclusion({ ...proof, leafHash: leafOf(event), path })).toBe(true);
      }
    }
  });

  it('proves sizes between checkpoints as well, without a signature', async () => {
    const { status, body } = await api.anybody.get<Inclusion>('/v1/log/proof/7?size=100');
    expect(status).toBe(200);
    expect(body.checkpoint).toBeNull();
    const { body: steps } = await api.anybody.get<Steps>('/v1/log/consistency?from=100&to=347');
    const roots = { root1: hexToBytes(steps.root1), root2: hexToBytes(steps.root2) };
    expect(steps.root1).toBe(body.root);
    expect(verifyConsistency({ size1: 100, size2: 347, ...roots, path: bytes(steps.path) })).toBe(true);
  });

  it('serves tiles from which all of it can be computed', async () => {
    const [full, rest, above] = await Promise.all(
      ['0/0', '0/1', '1/0'].map((tile) => api.anybody.get<Uint8Array>(`/v1/log/tile/${tile}`)),
    );
    expect([full?.body.length, rest?.body.length, above?.body.length]).toEqual([8192, 91 * 32, 32]);
    const cut = await api.anybody.get<Uint8Array>('/v1/log/tile/0/1?width=5');
    expect(cut.body).toEqual(rest?.body.subarray(0, 160));
    const [event] = await store.readAll({ after: 256n, limit: 1 });
    expect(cut.body.subarray(0, 32)).toEqual(new Uint8Array(leafOf(event as NonNullable<typeof event>)));
    for (const path of ['0/2', '1/1', '7/0', '0/9223372036854775808', '0/1?width=92'])
      expect((await api.anybody.get(`/v1/log/tile/${path}`)).status).toBe(404);
  });

  it('refuses what is beyond the log or no size at all, naming field and rule', async () => {
    const refused = async (path: string, status: number, field: string) =>
      expect(await api.anybody.get(`/v1/log/${path}`)).toMatchObject({
        status,
        body: { errors: [{ field }] },
      });
    await refused('checkpoint?from_size=348', 404, 'from_size');
    await refused('checkpoint?from_size=0', 422, 'from_size');
    await refused('checkpoint?from_size=-1', 422, 'from_size');
    await refused('proof/0', 404, 'position');
    await refused('proof/348', 404, 'position');
    await refused('proof/101?size=100', 404, 'position');
    await refused('proof/1?size=999999999999999999', 404, 'size');
    await refused('proof/1?size=9999999999999999999', 422, 'size');
    await refused('proof/x', 404, 'position');
    await refused('consistency?from=0&to=5', 422, 'from');
    await refused('consistency?from=6&to=5', 422, 'from');
    await refused('consistency?from=1&to=348', 404, 'to');
    await refused('consistency?from=1', 422, 'to');
    await refused('tile/8/0', 404, 'level');
    await refused('tile/0/0?width=0', 422, 'width');
  });
});

describe('proofs in the transparency log', () => {
  let submitter: Caller;

  beforeAll(async () => {
    submitter = await api.enrol('submitter');
    const context = {
      occurredAt: new Date().toISOString(),
      actor: 'engine',
      correlationId: 'job-1',
      causationId: 'c',
      traceparent: null,
    };
    const recorded = { type: 'proof.recorded', machineVersion: 1, proof: PROOF };
    await store.append({
      stream: PROOF_ID,
      expectedRevision: NO_STREAM,
      events: [newEvent(recorded, context)],
    });
  });

  const batch = (ids: string) => submitter.rest.get<Batch>(`/v1/fog/proofs/batch?proof_ids=${ids}`);
  const verify = (body: object) =>
    submitter.rest.post<{ details: object; inclusion: Inclusion }>('/v1/fog/proofs/verify', body);

  it('R45: are logged at once, and included as soon as a checkpoint covers them', async () => {
    const before = await verify({ proof_id: PROOF_ID });
    expect(before.body).toMatchObject({
      details: { logged: true, merkle_path_valid: null, anchored: false },
      inclusion: null,
    });
    expect((await batch(PROOF_ID)).body).toMatchObject({
      size: '347',
      results: [{ proof_id: PROOF_ID, logged: true, inclusion_path: null, checkpoint: null }],
    });
    const size = await grow();
    const { body } = await verify({ proof: PROOF });
    expect(body).toMatchObject({
      details: { logged: true, merkle_path_valid: true },
      inclusion: { size: String(size) },
    });
    const all = await batch(`${PROOF_ID},${PROOF_ID}`);
    expect(all.body).toMatchObject({
      batch_id: (await batch(PROOF_ID)).body.batch_id,
      root: body.inclusion.root,
      results: [{ proof_id: PROOF_ID, inclusion_path: body.inclusion.path, inclusion: body.inclusion }],
    });
    expect(all.body.results).toHaveLength(1);
  });

  it('R18: a doctored record is not what is logged', async () => {
    const doctored = { ...PROOF, record: { ...PROOF.record, jobId: 'job-2' } };
    expect((await verify({ proof: doctored })).body).toMatchObject({
      valid: false,
      details: { logged: false, merkle_path_valid: null },
      inclusion: null,
    });
  });

  it('whose event was altered in the table are no longer in the tree', async () => {
    const alter = (from: string, to: string) =>
      pool.query(`update log.events set envelope = replace(envelope, $1, $2) where stream = $3`, [
        from,
        to,
        PROOF_ID,
      ]);
    await alter('provider-1', 'provider-2');
    const { body } = await verify({ proof_id: PROOF_ID });
    expect(body.details).toMatchObject({ logged: true, merkle_path_valid: false });
    expect((await batch(PROOF_ID)).body.results).toMatchObject([{ valid: false }]);
    await alter('provider-2', 'provider-1');
  });

  it('are refused as a batch when one is unknown, or when it names none or too many', async () => {
    const unknown = 'proof-00000000000000000000000002';
    expect((await batch(`${PROOF_ID},${unknown}`)).status).toBe(404);
    expect((await batch('')).status).toBe(422);
    expect((await batch('proof-x')).status).toBe(422);
    expect((await batch(Array.from({ length: 101 }, () => PROOF_ID).join(','))).status).toBe(422);
  });
});
