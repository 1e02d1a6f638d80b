import { hexToBytes } from '@noble/hashes/utils.js';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newEvent } from '../../domain/event.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { instant } from '../../domain/time.ts';
import { createLogClient } from '../../infra/cli/client/log-client.ts';
import { createTransport } from '../../infra/cli/client/transport.ts';
import { exportLog } from '../../infra/cli/log/export-log.ts';
import { leafOf } from '../../infra/event-store/hash.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { keepAnchoring } from '../../infra/main/projector/anchoring.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { growLog } from '../../infra/tlog/grow.ts';
import { createCheckpointSigner } from '../../infra/tlog/signer.ts';
import { verifyAnchor, verifyCheckpoint, verifyExport, verifyInclusion } from '../../infra/verify/index.ts';
import { sampleAppend } from '../contract/events.ts';
import { startChain, type TestChain } from '../support/anvil.ts';
import { type ApiServer, type Caller, startApiServer } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const signer = createCheckpointSigner([new Uint8Array(32).fill(9)]);
const logger = pino({ level: 'silent' });
const JOB_ID = 'job-00000000000000000000000001';
const PROOF_ID = 'proof-00000000000000000000000001';
const PATIENCE = { timeout: 30_000, interval: 20 };

let database: TestDatabase;
let chain: TestChain;
let pool: Pool;
let store: EventStore;
let api: ApiServer;
let anchoring: Promise<void>;
let owner: Caller;
let stranger: Caller;
let operator: Caller;
let auditor: Caller;
const stop = new AbortController();

interface Anchor {
  readonly block: string;
  readonly block_hash: string;
  readonly size: string;
  readonly contract: string;
  readonly evidence: {
    readonly header: string;
    readonly receipt_index: number;
    readonly receipt_path: readonly string[];
    readonly log_index: number;
  };
}
/** One proof of a batch; what is not there yet is null. */
interface Shown {
  readonly anchored: boolean;
  readonly inclusion: {
    readonly checkpoint: string;
    readonly index: string;
    readonly path: readonly string[];
  };
  readonly anchor: Anchor;
}
interface AnchorPage {
  readonly items: readonly Anchor[];
  readonly next_from: string | null;
}

const record = async (stream: string, event: { readonly type: string }): Promise<void> => {
  const context = {
    occurredAt: instant(0),
    actor: 'engine',
    correlationId: JOB_ID,
    causationId: 'c',
    traceparent: null,
  };
  await store.append({ stream, expectedRevision: NO_STREAM, events: [newEvent(event, context)] });
};
const grow = async (): Promise<bigint> => {
  const { position } = await store.head();
  await growLog({ pool, signer }, position);
  return position;
};
const bytes = (hex: string): Uint8Array => hexToBytes(hex.replace(/^0x/, ''));
const shown = async (operation: string): Promise<Shown> => {
  const path = `/v1/fog/proofs/batch?proof_ids=${PROOF_ID}&operation=${operation}`;
  const { body } = await owner.rest.get<{ results: Shown[] }>(path);
  return body.results[0] as Shown;
};
const anchorsOf = async (): Promise<readonly object[]> =>
  (await api.anybody.get<{ anchors: object[] }>('/v1/log/checkpoint')).body.anchors;
const health = async (): Promise<object> =>
  (await operator.rest.get<{ components: { anchoring: object } }>('/v1/system/health')).body.components
    .anchoring;

beforeAll(async () => {
  [database, chain] = await Promise.all([createTestDatabase(), startChain({ keep: true })]);
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 8 });
  store = createPostgresEventStore({ pool });
  api = await startApiServer({
    databaseUrl: database.url,
    pool,
    store,
    environment: {
      ANCHOR_RPC_URL: chain.url,
      // Only what is urgent begins a batch after the first.
      ANCHOR_BATCH_EVENTS: '1000000',
      ANCHOR_INTERVAL_SECONDS: '1000000',
    },
  });
  owner = await api.enrol('submitter');
  stranger = await api.enrol('submitter');
  operator = await api.enrol('operator');
  auditor = await api.enrol('auditor');
  const submitted = { type: 'job.submitted', submitter: owner.id };
  await record(JOB_ID, submitted);
  await grow();
  anchoring = keepAnchoring(
    { pool, store, settings: api.config.anchoring, home: api.home, log: logger },
    stop.signal,
  );
  // A batch that nobody asked for: the first.
  await vi.waitFor(async () => expect(await anchorsOf()).toHaveLength(1), PATIENCE);
});
afterAll(async () => {
  stop.abort();
  await anchoring;
  await api?.stop();
  await store?.close();
  await pool?.end();
  await Promise.all([database?.drop(), chain?.stop()]);
});

describe('a proof on its way to the chain', () => {
  it('R45: is logged at once, anchored when a batch is confirmed, and no answer waits for that', async () => {
    await record(PROOF_ID, {
      type: 'proof.recorded',
      proof: { proofId: PROOF_ID, record: { jobId: JOB_ID, providerId: 'provider-1' } },
    } as { type: string });
    const size = await grow();
    expect(await shown('verify')).toMatchObject({ logged: true, anchored: false, anchor: null });
    const body = { proof_ids: [PROOF_ID] };
    expect((await owner.rest.post('/v1/fog/proofs/anchor', body)).body).toMatchObject({
      status: 'pending',
      proof_ids: [PROOF_ID],
    });
    const urgent = await operator.rest.post('/v1/fog/proofs/anchor', { ...body, priority: 'urgent' });
    expect(urgent.status).toBe(202);
    await vi.waitFor(async () => expect((await shown('verify')).anchored).toBe(true), PATIENCE);
    const verified = await owner.rest.post('/v1/fog/proofs/verify', { proof_id: PROOF_ID });
    expect(verified.body).toMatchObject({ details: { logged: true, anchored: true } });
    expect(await anchorsOf()).toMatchObject([
      { chain: 'eip155:31337', simulated: true, size: String(size) },
      { chain: 'eip155:31337', simulated: true },
    ]);
  });

  it('R46: a stranger checks it down to the hash of a block, with nothing but the answers', async () => {
    // The log grows on; the path leads to the head that was anchored all the same.
    await store.append(sampleAppend('sample-1', NO_STREAM, 20));
    await grow();
    const [event] = await store.readStream(PROOF_ID);
    const { inclusion, anchor } = await shown('anchor');
    const head = verifyCheckpoint({ checkpoint: inclusion.checkpoint, publicKey: signer.publicKey });
    if (!head.valid || !event) throw new Error('no head');
    const { hash } = await chain.call<{ hash: string }>(
      'eth_getBlockByNumber',
      `0x${BigInt(anchor.block).toString(16)}`,
      false,
    );
    const path = inclusion.path.map(bytes);
    const leaf = { leafHash: leafOf(event), index: BigInt(inclusion.index) };
    expect(verifyInclusion({ ...leaf, size: head.size, root: head.root, path })).toBe(true);
    const evidence = {
      header: bytes(anchor.evidence.header),
      receiptIndex: anchor.evidence.receipt_index,
      receiptPath: anchor.evidence.receipt_path.map(bytes),
      logIndex: anchor.evidence.log_index,
    };
    const contract = bytes(anchor.contract);
    expect(verifyAnchor({ ...head, contract, blockHash: bytes(hash), evidence })).toMatchObject({
      valid: true,
      block: BigInt(anchor.block),
    });
  });

  it('R46: is in an export of the log, with what a stranger checks it by, offline', async () => {
    const transport = createTransport({ apiUrl: api.url, apiKey: auditor.apiKey });
    const pieces: Uint8Array[] = [];
    for await (const piece of exportLog(createLogClient(transport))) pieces.push(piece);
    const { anchor } = await shown('anchor');
    const { hash } = await chain.call<{ hash: string }>(
      'eth_getBlockByNumber',
      `0x${BigInt(anchor.block).toString(16)}`,
      false,
    );
    const given = { source: pieces, publicKey: signer.publicKey };
    const judged = await verifyExport({ ...given, anchoring: { blocks: [hash], contract: anchor.contract } });
    expect(judged.valid).toBe(true);
    expect(judged.anchors).toMatchObject([
      { status: 'not-judged' },
      { status: 'anchored', size: BigInt(anchor.size), block: BigInt(anchor.block), simulated: true },
    ]);
    const page = (await api.anybody.get<AnchorPage>('/v1/log/anchors?limit=1')).body;
    expect(page.items).toHaveLength(1);
    expect((await api.anybody.get<AnchorPage>(`/v1/log/anchors?from=${page.next_from}`)).body).toMatchObject({
      items: [{ size: anchor.size }],
      next_from: null,
    });
    expect(
      (await api.anybody.get<AnchorPage>(`/v1/log/anchors?to=${page.items[0]?.size}&limit=1`)).body,
    ).toMatchObject({
      items: page.items,
      next_from: null,
    });
    expect((await api.anybody.get<AnchorPage>('/v1/log/anchors?from=0')).status).toBe(422);
  });

  it('is asked for by its owner or by whose office it is, and nobody else learns that it exists', async () => {
    const body = { proof_ids: [PROOF_ID] };
    const path = '/v1/fog/proofs/anchor';
    expect(await stranger.rest.post(path, body)).toMatchObject({
      status: 404,
      body: { code: 'RESOURCE_NOT_FOUND', errors: [{ field: 'proof_ids' }] },
    });
    const urgent = { ...body, priority: 'urgent' };
    expect(await owner.rest.post(path, urgent)).toMatchObject({
      status: 403,
      body: { errors: [{ field: 'priority' }] },
    });
    expect((await owner.rest.post(path, { proof_ids: [] })).status).toBe(422);
    expect((await api.anybody.post(path, body)).status).toBe(401);
  });

  it('is logged again when the chain takes its block back, and then anchored again', async () => {
    expect(await health()).toMatchObject({ status: 'ok' });
    const { anchor } = await shown('anchor');
    await chain.crash();
    await vi.waitFor(async () => {
      const result = await shown('anchor');
      expect(result.anchored).toBe(true);
      const block = await chain.call<{ hash: string } | null>(
        'eth_getBlockByHash',
        result.anchor.block_hash,
        false,
      );
      expect(block).not.toBeNull();
      expect(result.anchor.size).toBe(anchor.size);
    }, PATIENCE);
  });
});
