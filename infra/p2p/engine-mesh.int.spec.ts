import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ok, reject } from '../../domain/errors.ts';
import type { AuctionAnnouncement } from '../../domain/mesh/messages.ts';
import { toMicro } from '../../domain/money.ts';
import { addMs, epochMs } from '../../domain/time.ts';
import { createTestMesh, type TestMesh, type TestNode, testProviderId } from '../../test/support/mesh.ts';
import type { EngineMesh } from './engine-mesh.ts';
import { addressesOf } from './routes.ts';
import { signBid } from './signed-bid.ts';

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

let test: TestMesh;
beforeAll(async () => {
  test = await createTestMesh();
});
afterAll(() => test?.close());
beforeEach(() => test.begin());
afterEach(() => test.end());

const signedBid = (node: TestNode, auctionId: string, price = toMicro('4000')) => ({
  type: 'bid' as const,
  auctionId,
  price,
  signature: Buffer.from(signBid(node.seed, { auctionId, price })).toString('base64url'),
});

describe('join', () => {
  it('R99: knows the node by its key, records the route and its first beat', async () => {
    const { peer, mesh } = await test.startEngine();
    const node = await test.startNode(peer);
    await test.join(node);
    expect(await mesh.connected()).toEqual([node.providerId]);
    expect(epochMs((await mesh.lastSeen(node.providerId)) ?? '')).toBe(epochMs(test.clock));
    const { rows } = await test.pool.query(
      'select provider_id, peer_id, engine_peer_id from engine.node_routes',
    );
    expect(rows).toEqual([
      { provider_id: node.providerId, peer_id: node.peer.peerId, engine_peer_id: peer.peerId },
    ]);
  });

  it('lets the join handler ask the joining node for its attestation', async () => {
    test.script.handlers.join = async (publicKey, _join, ask) => {
      const reply = await ask(
        { type: 'attest-host', platform: 'amd_sev_snp', nonce: 'ab'.repeat(32) },
        { timeoutMs: 5000 },
      );
      return reply.type === 'attestation'
        ? ok(testProviderId(publicKey))
        : reject('ATTESTATION_FAILED', reply.type);
    };
    const { peer } = await test.startEngine();
    const evidence = { platform: 'amd_sev_snp', report: 'AAAA', certificates: [] };
    const honest = await test.startNode(peer, async () => ({
      type: 'attestation',
      evidence,
      enclaveKey: '0'.repeat(64),
    }));
    const mute = await test.startNode(peer, async () => ({ type: 'nonsense' }));
    await test.join(honest);
    expect(await mute.tell(test.joinMessage())).toMatchObject({
      type: 'refused',
      code: 'ATTESTATION_FAILED',
    });
  });

  it('refuses what the handler refuses and a test.clock that is off by more than a minute', async () => {
    const { peer, mesh } = await test.startEngine();
    const node = await test.startNode(peer);
    expect(await node.tell(test.joinMessage(addMs(test.clock, 60_001)))).toMatchObject({
      type: 'refused',
      code: 'INVALID_REQUEST',
      errors: [{ field: 'at' }],
    });
    test.script.handlers.join = async () => reject('AUTHORIZATION_FAILED', 'this key is barred');
    expect(await node.tell(test.joinMessage())).toMatchObject({
      type: 'refused',
      code: 'AUTHORIZATION_FAILED',
    });
    expect(await mesh.connected()).toEqual([]);
  });

  it('notes where neighbours reach the node, and refuses the address of another peer', async () => {
    const { peer } = await test.startEngine();
    const node = await test.startNode(peer);
    const addresses = [`/ip4/127.0.0.1/tcp/4001/p2p/${node.peer.peerId}`];
    for (const foreign of [`/ip4/127.0.0.1/tcp/4001/p2p/${peer.peerId}`, '/ip4/127.0.0.1/tcp/4001', '']) {
      expect(await node.tell({ ...test.joinMessage(), addresses: [...addresses, foreign] })).toMatchObject({
        type: 'refused',
        code: 'INVALID_REQUEST',
        errors: [{ field: expect.stringMatching(/^addresses/) }],
      });
    }
    expect(await addressesOf(test.pool, [node.providerId])).toEqual([]);
    expect(await node.tell({ ...test.joinMessage(), addresses })).toMatchObject({ type: 'joined' });
    expect(await node.tell({ type: 'neighbourhood' })).toEqual({
      type: 'neighbourhood',
      epochs: [],
      contacts: [{ nodeId: node.providerId, addresses }],
    });
  });

  it('comes before everything else', async () => {
    const { peer } = await test.startEngine();
    const node = await test.startNode(peer);
    const refused = { type: 'refused', code: 'AUTHENTICATION_FAILED' };
    expect(await node.tell({ type: 'neighbourhood' })).toMatchObject(refused);
    expect(await node.tell({ type: 'heartbeat', sequence: 0, at: test.clock })).toMatchObject(refused);
    expect(await node.tell(signedBid(node, auction(test.clock).auctionId))).toMatchObject(refused);
    expect(
      await node.tell({ type: 'fetch-artifact', sha256: '0'.repeat(64), enclaveId: ENCLAVE }),
    ).toMatchObject(refused);
  });

  it('forgets a node whose connection ends and takes it back', async () => {
    const { peer, mesh } = await test.startEngine();
    const node = await test.startNode(peer);
    await test.join(node);
    await node.connection.close();
    await vi.waitFor(async () => expect(await mesh.connected()).toEqual([]));
    const gone = await mesh.request(
      node.providerId,
      { type: 'destroy-enclave', enclaveId: ENCLAVE },
      { timeoutMs: 100 },
    );
    expect(gone).toMatchObject({ type: 'unreachable', cause: 'node' });
  });

  it('starts with no routes of a killed predecessor', async () => {
    const { peer, mesh } = await test.startEngine();
    await test.pool.query(
      `insert into engine.node_routes (provider_id, peer_id, engine_peer_id, connected_at, instance)
       values ('provider-x', 'p', $1, now(), gen_random_uuid())`,
      [peer.peerId],
    );
    expect(await mesh.connected()).toEqual([]);
  });
});

describe('bids', () => {
  it('go to the handler when the node signed them, and only then', async () => {
    const { peer } = await test.startEngine();
    const node = await test.startNode(peer);
    await test.join(node);
    const { auctionId } = auction(test.clock);
    expect(await node.tell(signedBid(node, auctionId))).toMatchObject({ type: 'bid-placed', position: '7' });
    const dearer = { ...signedBid(node, auctionId), price: toMicro('4001') };
    expect(await node.tell(dearer)).toMatchObject({ type: 'refused', code: 'AUTHENTICATION_FAILED' });
    const stranger = { ...signedBid({ ...node, seed: randomBytes(32) }, auctionId) };
    expect(await node.tell(stranger)).toMatchObject({ type: 'refused', code: 'AUTHENTICATION_FAILED' });
    expect(test.script.seen.filter((line) => line.includes('bids'))).toEqual([
      `${node.providerId} bids in ${auctionId}`,
    ]);
  });

  it('carry refusals with field and rule', async () => {
    test.script.handlers.bid = async () =>
      reject('INVALID_REQUEST', 'too dear', [{ field: 'price', rule: 'at most the ceiling' }]);
    const { peer } = await test.startEngine();
    const node = await test.startNode(peer);
    await test.join(node);
    expect(await node.tell(signedBid(node, auction(test.clock).auctionId))).toEqual({
      type: 'refused',
      code: 'INVALID_REQUEST',
      message: 'too dear',
      errors: [{ field: 'price', rule: 'at most the ceiling' }],
    });
  });
});

describe('artefacts', () => {
  it('go both ways, checked by their hash', async () => {
    const { peer } = await test.startEngine();
    const node = await test.startNode(peer);
    await test.join(node);
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
    const { peer, mesh } = await test.startEngine();
    const node = await test.startNode(peer, async (request) => {
      if (request.type === 'destroy-enclave') return { type: 'destroyed' };
      if (request.type === 'create-enclave')
        return { type: 'refused', code: 'RESOURCE_UNAVAILABLE', message: 'full' };
      return request.type === 'attest-enclave' ? { type: 'destroyed' } : new Promise(() => undefined);
    });
    await test.join(node);
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
    const { peer, mesh } = await test.startEngine();
    let mute = true;
    const quiet = await test.startNode(peer, () =>
      mute ? new Promise(() => undefined) : Promise.resolve({ type: 'noted' }),
    );
    const nodes = await Promise.all(Array.from({ length: 7 }, () => test.startNode(peer)));
    await Promise.all([quiet, ...nodes].map(test.join));
    expect(await mesh.connected()).toHaveLength(8);

    const news = auction(addMs(test.clock, 30_000));
    const announced = mesh.announce(news);
    await vi.waitFor(() => {
      for (const node of nodes) expect(node.heard).toEqual([{ type: 'auction-opened', auction: news }]);
    });
    expect(await announced).toBe(7);

    mute = false;
    await quiet.tell({ type: 'heartbeat', sequence: 1, at: test.clock });
    await vi.waitFor(() => expect(quiet.heard).toHaveLength(2));
    await quiet.tell({ type: 'heartbeat', sequence: 2, at: test.clock });
    await nodes[0]?.tell({ type: 'heartbeat', sequence: 2, at: test.clock });
    expect(quiet.heard).toHaveLength(2);
    expect(nodes[0]?.heard).toHaveLength(1);
  });

  it('reaches a node that joins later, and says how it ended', async () => {
    const open = [auction(addMs(test.clock, 30_000), '1'), auction(addMs(test.clock, 30_000), '2')];
    test.script.handlers.openAuctions = async () => open;
    const { peer, mesh } = await test.startEngine();
    const node = await test.startNode(peer);
    await test.join(node);
    await vi.waitFor(() => expect(node.heard).toHaveLength(2));
    await mesh.auctionEnded(open[0]?.auctionId as string, [node.providerId]);
    await mesh.auctionEnded(open[1]?.auctionId as string, []);
    expect(node.heard.slice(2)).toEqual([
      { type: 'auction-ended', auctionId: open[0]?.auctionId, won: true },
      { type: 'auction-ended', auctionId: open[1]?.auctionId, won: false },
    ]);
  });
});

describe('a node that joins behind an announcement', () => {
  it('is told of it once, though no read model shows it yet, while it takes bids', async () => {
    const { peer, mesh } = await test.startEngine();
    const [shown, unseen, over, closed] = ['1', '2', '3', '4'].map((number) =>
      auction(addMs(test.clock, number === '4' ? 1_000 : 30_000), number),
    ) as [AuctionAnnouncement, AuctionAnnouncement, AuctionAnnouncement, AuctionAnnouncement];
    for (const each of [shown, unseen, over, closed]) expect(await mesh.announce(each)).toBe(0);
    await mesh.auctionEnded(over.auctionId, []);
    test.clock = addMs(test.clock, 1_000);
    const extended = { ...shown, closesAt: addMs(shown.closesAt, 30_000) };
    test.script.handlers.openAuctions = async () => [extended];
    const node = await test.startNode(peer);
    await test.join(node);
    await vi.waitFor(() => expect(node.heard).toHaveLength(2));
    expect(node.heard).toEqual(
      expect.arrayContaining([
        { type: 'auction-opened', auction: extended },
        { type: 'auction-opened', auction: unseen },
      ]),
    );
  });
});

describe('presence', () => {
  const beat = (node: TestNode) => node.tell({ type: 'heartbeat', sequence: 1, at: test.clock });

  /** Advances the engine's test.clock second by second, as its timer would see it. */
  const pass = async (mesh: EngineMesh, seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      test.clock = addMs(test.clock, 1000);
      await mesh.checkPresence();
    }
  };

  it('tells up, suspected, lost and up again, each once', async () => {
    const { peer, mesh } = await test.startEngine();
    await pass(mesh, 1);
    const node = await test.startNode(peer);
    await test.join(node);
    await pass(mesh, 20);
    await beat(node);
    await pass(mesh, 30);
    await beat(node);
    await pass(mesh, 2);
    const transitions = ['provider.up 0', 'provider.suspected 2', 'provider.lost 3', 'provider.up 0'];
    expect(test.script.seen).toEqual(transitions.map((each) => `${node.providerId} ${each}`));
  });

  it('repeats nothing after a restart and holds its own absence against nobody', async () => {
    const first = await test.startEngine();
    await pass(first.mesh, 1);
    const node = await test.startNode(first.peer);
    await test.join(node);
    await pass(first.mesh, 1);
    await first.stop();

    test.clock = addMs(test.clock, 60_000);
    const second = await test.startEngine();
    // Its node may still be on its way back.
    await pass(second.mesh, 20 + 12);
    expect(test.script.seen).toEqual([`${node.providerId} provider.up 0`]);
    await pass(second.mesh, 6);
    expect(test.script.seen.slice(1)).toEqual([
      `${node.providerId} provider.suspected 2`,
      `${node.providerId} provider.lost 3`,
    ]);
    await second.stop();
    const third = await test.startEngine();
    await pass(third.mesh, 50);
    expect(test.script.seen).toHaveLength(3);
  });

  it('forgives a stall of the engine itself', async () => {
    const { peer, mesh } = await test.startEngine();
    await pass(mesh, 1);
    const node = await test.startNode(peer);
    await test.join(node);
    await pass(mesh, 30);
    await beat(node);
    await pass(mesh, 1);
    const before = test.script.seen.length;
    test.clock = addMs(test.clock, 40_000);
    await mesh.checkPresence();
    await pass(mesh, 20 + 12);
    expect(test.script.seen.slice(before)).toEqual([]);
    await pass(mesh, 1);
    expect(test.script.seen.slice(before)).toEqual([`${node.providerId} provider.suspected 2`]);
  });

  it('forgives what it could not write down', async () => {
    const { peer, mesh } = await test.startEngine();
    await pass(mesh, 1);
    const node = await test.startNode(peer);
    await test.join(node);
    await pass(mesh, 30);
    const before = test.script.seen.length;
    await beat(node);
    await pass(mesh, 11);
    // As a server that became a standby refuses it; what the node itself spoils is no excuse.
    await test.pool.query(
      `create function refuse() returns trigger language plpgsql as
         $$ begin raise exception using errcode = case when new.neighbours is null then '25006' else '22P05' end; end $$;
       create trigger refuse before insert or update on engine.heartbeats for each row execute function refuse()`,
    );
    const mark = mesh.detector.mark();
    await node.tell({ type: 'heartbeat', sequence: 2, at: test.clock, neighbours: [node.providerId] });
    expect(await mesh.detector.held(mark)).toBe(true);
    await beat(node);
    expect(await mesh.detector.held(mark)).toBe(false);
    test.errors.splice(0);
    await test.pool.query('drop function refuse() cascade');
    await pass(mesh, 20 + 12);
    expect(test.script.seen.slice(before)).toEqual([]);
  });

  it('tells a transition again when telling it failed', async () => {
    const { peer, mesh } = await test.startEngine();
    await pass(mesh, 1);
    const node = await test.startNode(peer);
    await test.join(node);
    const { providerSeen } = test.script.handlers;
    test.script.handlers.providerSeen = () => Promise.reject(new Error('no store'));
    await pass(mesh, 1);
    expect(test.errors.splice(0)).toEqual([new Error('no store')]);
    test.script.handlers.providerSeen = providerSeen;
    await pass(mesh, 1);
    expect(test.script.seen).toEqual([`${node.providerId} provider.up 0`]);
  });
});
