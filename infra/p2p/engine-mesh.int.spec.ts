import { createHash, randomBytes } from 'node:crypto';
import type { Connection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ok, reject } from '../../domain/errors.ts';
import { ulidFrom } from '../../domain/ids.ts';
import {
  type AuctionAnnouncement,
  type EngineReplies,
  type EngineRequest,
  type NodeRequest,
  PROTOCOLS,
} from '../../domain/mesh/messages.ts';
import { engineReplySchemas, nodeRequestSchema } from '../../domain/mesh/schema.ts';
import { signBid } from '../../domain/mesh/signed-bid.ts';
import { toMicro } from '../../domain/money.ts';
import { addMs, epochMs, instant } from '../../domain/time.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import type { EngineHandlers } from './engine-handlers.ts';
import { createEngineMesh, type EngineMesh } from './engine-mesh.ts';
import { ARTIFACT_FRAME_BYTES } from './frames.ts';
import { createPeer, type Peer } from './peer.ts';
import { addressesOf } from './routes.ts';
import { callPeer, servePeer } from './rpc.ts';

const LOOPBACK = ['/ip4/127.0.0.1/tcp/0'];
const providerIdOf = (publicKey: string): string =>
  `provider-${ulidFrom(createHash('sha256').update(publicKey).digest())}`;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const ENCLAVE = `enclave-${'0'.repeat(26)}`;

const auction = (closesAt: string, suffix = '0'): AuctionAnnouncement => ({
  auctionId: `auction-${suffix.padStart(26, '0')}`,
  submitter: 'subject-1',
  tier: 'gold',
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  winners: 3,
  ceiling: toMicro('7408'),
  closesAt,
});

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'mesh-test', max: 4 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** The engine's outside, recorded. `at` is its clock. */
const scriptedHandlers = () => {
  const seen: string[] = [];
  const artifacts = new Map<string, Uint8Array>();
  const handlers: EngineHandlers = {
    join: async (publicKey) => ok(providerIdOf(publicKey)),
    bid: async (providerId, bid) => {
      seen.push(`${providerId} bids in ${bid.auctionId}`);
      return { ok: true, bidId: `bid-${'0'.repeat(26)}`, position: '7', revision: '1', state: 'open' };
    },
    fetchArtifact: async (_provider, { sha256: hash }) => {
      const bytes = artifacts.get(hash);
      return bytes ? ok(bytes) : reject('RESOURCE_NOT_FOUND', 'no such artefact');
    },
    storeOutput: async (_provider, { sha256: hash }, bytes) => {
      artifacts.set(hash, bytes);
      return ok(null);
    },
    openAuctions: async () => [],
    neighbourhood: async (providerId) => ({
      type: 'neighbourhood',
      epochs: [],
      contacts: await addressesOf(pool, [providerId]),
    }),
    providerSeen: async (providerId, type, missed) => {
      seen.push(`${providerId} ${type} ${missed}`);
    },
  };
  return { handlers, seen, artifacts };
};

let clock = instant(Date.now());
let script: ReturnType<typeof scriptedHandlers>;
const errors: unknown[] = [];
const stops: (() => Promise<unknown>)[] = [];

const startEngine = async (
  seed = randomBytes(32),
  listen = LOOPBACK,
): Promise<{ peer: Peer; mesh: EngineMesh }> => {
  const peer = await createPeer({ seed, listen });
  const { handlers } = script;
  const mesh = await createEngineMesh({
    peer,
    pool,
    handlers,
    now: () => clock,
    monotonicMs: () => epochMs(clock),
    onError: (error) => errors.push(error),
  });
  stops.push(async () => {
    await mesh.stop();
    await peer.stop();
  });
  return { peer, mesh };
};

interface TestNode {
  readonly peer: Peer;
  readonly seed: Uint8Array;
  readonly connection: Connection;
  readonly providerId: string;
  readonly heard: NodeRequest[];
  tell<T extends EngineRequest['type']>(
    request: Extract<EngineRequest, { type: T }>,
  ): Promise<EngineReplies[T] | { type: 'refused'; code: string }>;
}

/** A node that answers what `answer` says; by default it notes everything. */
const startNode = async (
  engine: Peer,
  answer: (request: NodeRequest) => Promise<object> = async () => ({ type: 'noted' }),
): Promise<TestNode> => {
  const seed = randomBytes(32);
  const peer = await createPeer({ seed });
  stops.push(() => peer.stop());
  const heard: NodeRequest[] = [];
  await servePeer(peer, PROTOCOLS.agentCommunication, {
    request: nodeRequestSchema,
    answer: (request) => {
      heard.push(request);
      return answer(request);
    },
    onError: (error) => errors.push(error),
  });
  const connection = await peer.libp2p.dial(multiaddr(engine.addresses()[0]));
  return {
    peer,
    seed,
    connection,
    heard,
    providerId: providerIdOf(peer.publicKey),
    async tell(request) {
      const discovery = request.type === 'join' || request.type === 'heartbeat';
      const protocol = discovery ? PROTOCOLS.resourceDiscovery : PROTOCOLS.agentCommunication;
      const outcome = await callPeer(connection, protocol, request, engineReplySchemas[request.type], {
        timeoutMs: 10_000,
        maxReplyBytes: ARTIFACT_FRAME_BYTES,
      });
      if (!outcome.ok) throw new Error(outcome.message);
      return outcome.reply as never;
    },
  };
};

const joinMessage = (at = clock) =>
  ({
    type: 'join',
    at,
    infrastructureType: 'edge_devices',
    asn: 64500,
    region: 'eu-west',
    tops: 500,
    platforms: ['amd_sev_snp'],
    stake: toMicro('1000000'),
  }) as const;

const join = async (node: TestNode): Promise<void> => {
  expect(await node.tell(joinMessage())).toEqual({
    type: 'joined',
    providerId: node.providerId,
    heartbeatSeconds: 5,
  });
};

const signedBid = (node: TestNode, auctionId: string, price = toMicro('4000')) => ({
  type: 'bid' as const,
  auctionId,
  price,
  signature: Buffer.from(signBid(node.seed, { auctionId, price })).toString('base64url'),
});

beforeEach(() => {
  clock = instant(Date.now());
  script = scriptedHandlers();
  errors.length = 0;
});
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
  await pool.query('truncate engine.heartbeats, engine.node_routes');
  expect(errors).toEqual([]);
});

describe('join', () => {
  it('R99: knows the node by its key, records the route and its first beat', async () => {
    const { peer, mesh } = await startEngine();
    const node = await startNode(peer);
    await join(node);
    expect(mesh.connected()).toEqual([node.providerId]);
    expect(await mesh.lastSeen(node.providerId)).toBe(clock);
    const { rows } = await pool.query('select provider_id, peer_id, engine_peer_id from engine.node_routes');
    expect(rows).toEqual([
      { provider_id: node.providerId, peer_id: node.peer.peerId, engine_peer_id: peer.peerId },
    ]);
  });

  it('lets the join handler ask the joining node for its attestation', async () => {
    script.handlers.join = async (publicKey, _join, ask) => {
      const reply = await ask(
        { type: 'attest-host', platform: 'amd_sev_snp', nonce: 'ab'.repeat(32) },
        { timeoutMs: 5000 },
      );
      return reply.type === 'attestation'
        ? ok(providerIdOf(publicKey))
        : reject('ATTESTATION_FAILED', reply.type);
    };
    const { peer } = await startEngine();
    const evidence = { platform: 'amd_sev_snp', report: 'AAAA', certificates: [] };
    const honest = await startNode(peer, async () => ({
      type: 'attestation',
      evidence,
      enclaveKey: '0'.repeat(64),
    }));
    const mute = await startNode(peer, async () => ({ type: 'nonsense' }));
    await join(honest);
    expect(await mute.tell(joinMessage())).toMatchObject({ type: 'refused', code: 'ATTESTATION_FAILED' });
  });

  it('refuses what the handler refuses and a clock that is off by more than a minute', async () => {
    const { peer, mesh } = await startEngine();
    const node = await startNode(peer);
    expect(await node.tell(joinMessage(addMs(clock, 60_001)))).toMatchObject({
      type: 'refused',
      code: 'INVALID_REQUEST',
      errors: [{ field: 'at' }],
    });
    script.handlers.join = async () => reject('AUTHORIZATION_FAILED', 'this key is barred');
    expect(await node.tell(joinMessage())).toMatchObject({ type: 'refused', code: 'AUTHORIZATION_FAILED' });
    expect(mesh.connected()).toEqual([]);
  });

  it('notes where neighbours reach the node, and refuses the address of another peer', async () => {
    const { peer } = await startEngine();
    const node = await startNode(peer);
    const addresses = [`/ip4/127.0.0.1/tcp/4001/p2p/${node.peer.peerId}`];
    for (const foreign of [`/ip4/127.0.0.1/tcp/4001/p2p/${peer.peerId}`, '/ip4/127.0.0.1/tcp/4001', '']) {
      expect(await node.tell({ ...joinMessage(), addresses: [...addresses, foreign] })).toMatchObject({
        type: 'refused',
        code: 'INVALID_REQUEST',
        errors: [{ field: 'addresses' }],
      });
    }
    expect(await addressesOf(pool, [node.providerId])).toEqual([]);
    expect(await node.tell({ ...joinMessage(), addresses })).toMatchObject({ type: 'joined' });
    expect(await node.tell({ type: 'neighbourhood' })).toEqual({
      type: 'neighbourhood',
      epochs: [],
      contacts: [{ nodeId: node.providerId, addresses }],
    });
  });

  it('comes before everything else', async () => {
    const { peer } = await startEngine();
    const node = await startNode(peer);
    const refused = { type: 'refused', code: 'AUTHENTICATION_FAILED' };
    expect(await node.tell({ type: 'neighbourhood' })).toMatchObject(refused);
    expect(await node.tell({ type: 'heartbeat', sequence: 0, at: clock })).toMatchObject(refused);
    expect(await node.tell(signedBid(node, auction(clock).auctionId))).toMatchObject(refused);
    expect(
      await node.tell({ type: 'fetch-artifact', sha256: '0'.repeat(64), enclaveId: ENCLAVE }),
    ).toMatchObject(refused);
  });

  it('forgets a node whose connection ends and takes it back', async () => {
    const { peer, mesh } = await startEngine();
    const node = await startNode(peer);
    await join(node);
    await node.connection.close();
    await vi.waitFor(() => expect(mesh.connected()).toEqual([]));
    await vi.waitFor(async () => {
      expect((await pool.query('select * from engine.node_routes')).rowCount).toBe(0);
    });
    const gone = await mesh.request(
      node.providerId,
      { type: 'destroy-enclave', enclaveId: ENCLAVE },
      { timeoutMs: 100 },
    );
    expect(gone).toMatchObject({ type: 'unreachable' });
  });

  it('starts with no routes of a killed predecessor', async () => {
    const seed = randomBytes(32);
    const { peer } = await startEngine(seed);
    await pool.query(`insert into engine.node_routes values ('provider-x', 'p', $1, now())`, [peer.peerId]);
    await startEngine(seed);
    expect((await pool.query('select * from engine.node_routes')).rowCount).toBe(0);
  });
});

describe('bids', () => {
  it('go to the handler when the node signed them, and only then', async () => {
    const { peer } = await startEngine();
    const node = await startNode(peer);
    await join(node);
    const { auctionId } = auction(clock);
    expect(await node.tell(signedBid(node, auctionId))).toMatchObject({ type: 'bid-placed', position: '7' });
    const dearer = { ...signedBid(node, auctionId), price: toMicro('4001') };
    expect(await node.tell(dearer)).toMatchObject({ type: 'refused', code: 'AUTHENTICATION_FAILED' });
    const stranger = { ...signedBid({ ...node, seed: randomBytes(32) }, auctionId) };
    expect(await node.tell(stranger)).toMatchObject({ type: 'refused', code: 'AUTHENTICATION_FAILED' });
    expect(script.seen.filter((line) => line.includes('bids'))).toEqual([
      `${node.providerId} bids in ${auctionId}`,
    ]);
  });

  it('carry refusals with field and rule', async () => {
    script.handlers.bid = async () =>
      reject('INVALID_REQUEST', 'too dear', [{ field: 'price', rule: 'at most the ceiling' }]);
    const { peer } = await startEngine();
    const node = await startNode(peer);
    await join(node);
    expect(await node.tell(signedBid(node, auction(clock).auctionId))).toEqual({
      type: 'refused',
      code: 'INVALID_REQUEST',
      message: 'too dear',
      errors: [{ field: 'price', rule: 'at most the ceiling' }],
    });
  });
});

describe('artefacts', () => {
  it('go both ways, checked by their hash', async () => {
    const { peer } = await startEngine();
    const node = await startNode(peer);
    await join(node);
    const bytes = randomBytes(3_000_000);
    const store = { type: 'store-output', enclaveId: ENCLAVE, bytes: bytes.toString('base64url') } as const;
    expect(await node.tell({ ...store, sha256: 'f'.repeat(64) })).toMatchObject({
      type: 'refused',
      errors: [{ field: 'sha256' }],
    });
    expect(await node.tell({ ...store, sha256: sha256(bytes) })).toEqual({ type: 'stored' });
    const fetched = await node.tell({ type: 'fetch-artifact', sha256: sha256(bytes), enclaveId: ENCLAVE });
    expect(fetched).toEqual({ type: 'artifact', bytes: bytes.toString('base64url') });
    expect(
      await node.tell({ type: 'fetch-artifact', sha256: '1'.repeat(64), enclaveId: ENCLAVE }),
    ).toMatchObject({
      code: 'RESOURCE_NOT_FOUND',
    });
  });
});

describe('requests to nodes', () => {
  it('come back typed, refused or unreachable', async () => {
    const { peer, mesh } = await startEngine();
    const node = await startNode(peer, async (request) => {
      if (request.type === 'destroy-enclave') return { type: 'destroyed' };
      if (request.type === 'create-enclave')
        return { type: 'refused', code: 'RESOURCE_UNAVAILABLE', message: 'full' };
      return request.type === 'attest-enclave' ? { type: 'destroyed' } : new Promise(() => undefined);
    });
    await join(node);
    const config = { memoryMb: 64, cpuCores: 1, allowDebug: false } as const;
    const create = {
      type: 'create-enclave',
      enclaveId: ENCLAVE,
      platform: 'amd_sev_snp',
      codeHash: '0'.repeat(64),
      config,
    } as const;
    const attest = { type: 'attest-enclave', enclaveId: ENCLAVE, nonce: '0'.repeat(64) } as const;
    const timeoutMs = 5000;
    expect(
      await mesh.request(node.providerId, { type: 'destroy-enclave', enclaveId: ENCLAVE }, { timeoutMs }),
    ).toEqual({ type: 'destroyed' });
    expect(await mesh.request(node.providerId, create, { timeoutMs })).toMatchObject({
      type: 'refused',
      code: 'RESOURCE_UNAVAILABLE',
    });
    expect(await mesh.request(node.providerId, attest, { timeoutMs })).toMatchObject({ type: 'unreachable' });
    const slow = { type: 'attest-host', platform: 'amd_sev_snp', nonce: '0'.repeat(64) } as const;
    expect(await mesh.request(node.providerId, slow, { timeoutMs: 50 })).toMatchObject({
      type: 'unreachable',
    });
    expect(await mesh.request('provider-none', slow, { timeoutMs: 50 })).toMatchObject({
      type: 'unreachable',
    });
  });
});

describe('auction news', () => {
  it('reaches eight nodes at once; a mute one holds up nobody and hears it again with its next beat', async () => {
    const { peer, mesh } = await startEngine();
    let mute = true;
    const quiet = await startNode(peer, () =>
      mute ? new Promise(() => undefined) : Promise.resolve({ type: 'noted' }),
    );
    const nodes = await Promise.all(Array.from({ length: 7 }, () => startNode(peer)));
    await Promise.all([quiet, ...nodes].map(join));
    expect(mesh.connected()).toHaveLength(8);

    const news = auction(addMs(clock, 30_000));
    const announced = mesh.announce(news);
    await vi.waitFor(() => {
      for (const node of nodes) expect(node.heard).toEqual([{ type: 'auction-opened', auction: news }]);
    });
    expect(await announced).toBe(7);

    mute = false;
    await quiet.tell({ type: 'heartbeat', sequence: 1, at: clock });
    await vi.waitFor(() => expect(quiet.heard).toHaveLength(2));
    await quiet.tell({ type: 'heartbeat', sequence: 2, at: clock });
    await nodes[0]?.tell({ type: 'heartbeat', sequence: 2, at: clock });
    expect(quiet.heard).toHaveLength(2);
    expect(nodes[0]?.heard).toHaveLength(1);
  });

  it('reaches a node that joins later, and says how it ended', async () => {
    const open = [auction(addMs(clock, 30_000), '1'), auction(addMs(clock, 30_000), '2')];
    script.handlers.openAuctions = async () => open;
    const { peer, mesh } = await startEngine();
    const node = await startNode(peer);
    await join(node);
    await vi.waitFor(() => expect(node.heard).toHaveLength(2));
    await mesh.auctionEnded(open[0]?.auctionId as string, [node.providerId]);
    await mesh.auctionEnded(open[1]?.auctionId as string, []);
    expect(node.heard.slice(2)).toEqual([
      { type: 'auction-ended', auctionId: open[0]?.auctionId, won: true },
      { type: 'auction-ended', auctionId: open[1]?.auctionId, won: false },
    ]);
  });
});

describe('presence', () => {
  const beat = (node: TestNode) => node.tell({ type: 'heartbeat', sequence: 1, at: clock });

  /** Advances the engine's clock second by second, as its timer would see it. */
  const pass = async (mesh: EngineMesh, seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      clock = addMs(clock, 1000);
      await mesh.checkPresence();
    }
  };

  it('tells up, suspected, lost and up again, each once', async () => {
    const { peer, mesh } = await startEngine();
    await pass(mesh, 1);
    const node = await startNode(peer);
    await join(node);
    await pass(mesh, 20);
    await beat(node);
    await pass(mesh, 30);
    await beat(node);
    await pass(mesh, 2);
    const transitions = ['provider.up 0', 'provider.suspected 2', 'provider.lost 3', 'provider.up 0'];
    expect(script.seen).toEqual(transitions.map((each) => `${node.providerId} ${each}`));
  });

  it('repeats nothing after a restart and holds its own absence against nobody', async () => {
    const first = await startEngine();
    await pass(first.mesh, 1);
    const node = await startNode(first.peer);
    await join(node);
    await pass(first.mesh, 1);
    await stops.shift()?.();

    clock = addMs(clock, 60_000);
    const second = await startEngine();
    // Its node may still be on its way back.
    await pass(second.mesh, 20 + 12);
    expect(script.seen).toEqual([`${node.providerId} provider.up 0`]);
    await pass(second.mesh, 6);
    expect(script.seen.slice(1)).toEqual([
      `${node.providerId} provider.suspected 2`,
      `${node.providerId} provider.lost 3`,
    ]);
    await second.mesh.stop();
    const third = await startEngine();
    await pass(third.mesh, 50);
    expect(script.seen).toHaveLength(3);
  });

  it('forgives a stall of the engine itself', async () => {
    const { peer, mesh } = await startEngine();
    await pass(mesh, 1);
    const node = await startNode(peer);
    await join(node);
    await pass(mesh, 30);
    await beat(node);
    await pass(mesh, 1);
    const before = script.seen.length;
    clock = addMs(clock, 40_000);
    await mesh.checkPresence();
    await pass(mesh, 20 + 12);
    expect(script.seen.slice(before)).toEqual([]);
    await pass(mesh, 1);
    expect(script.seen.slice(before)).toEqual([`${node.providerId} provider.suspected 2`]);
  });

  it('forgives what it could not write down', async () => {
    const { peer, mesh } = await startEngine();
    await pass(mesh, 1);
    const node = await startNode(peer);
    await join(node);
    await pass(mesh, 30);
    const before = script.seen.length;
    await beat(node);
    await pass(mesh, 11);
    // As a server that became a standby refuses it; what the node itself spoils is no excuse.
    await pool.query(
      `create function refuse() returns trigger language plpgsql as
         $$ begin raise exception using errcode = case when new.neighbours is null then '25006' else '22P05' end; end $$;
       create trigger refuse before insert or update on engine.heartbeats for each row execute function refuse()`,
    );
    const mark = mesh.detector.mark();
    await node.tell({ type: 'heartbeat', sequence: 2, at: clock, neighbours: [node.providerId] });
    expect(await mesh.detector.held(mark)).toBe(true);
    await beat(node);
    expect(await mesh.detector.held(mark)).toBe(false);
    errors.splice(0);
    await pool.query('drop function refuse() cascade');
    await pass(mesh, 20 + 12);
    expect(script.seen.slice(before)).toEqual([]);
  });

  it('tells a transition again when telling it failed', async () => {
    const { peer, mesh } = await startEngine();
    await pass(mesh, 1);
    const node = await startNode(peer);
    await join(node);
    const { providerSeen } = script.handlers;
    script.handlers.providerSeen = () => Promise.reject(new Error('no store'));
    await pass(mesh, 1);
    expect(errors.splice(0)).toEqual([new Error('no store')]);
    script.handlers.providerSeen = providerSeen;
    await pass(mesh, 1);
    expect(script.seen).toEqual([`${node.providerId} provider.up 0`]);
  });
});
