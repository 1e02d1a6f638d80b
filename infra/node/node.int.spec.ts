import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { multiaddr } from '@multiformats/multiaddr';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { FuelRate } from '../../domain/mesh/fuel-rate.ts';
import {
  type AuctionAnnouncement,
  type NeighbourhoodReply,
  type NodeRequest,
  PROTOCOLS,
} from '../../domain/mesh/messages.ts';
import { peerReplySchemas } from '../../domain/mesh/schema.ts';
import { toMicro, units } from '../../domain/money.ts';
import { providerIdOf } from '../../domain/provider/provider-id.ts';
import { instant } from '../../domain/time.ts';
import { nodeVrfKey } from '../../domain/topology/node-key.ts';
import {
  type EngineScript,
  type ScriptedEngine,
  sha256,
  startScriptedEngine,
} from '../../test/support/scripted-engine.ts';
import { simulatedMachine } from '../../test/workloads/simulated-machine.ts';
import { askNodeOver } from '../p2p/ask-node.ts';
import { createPeer, peerIdOf } from '../p2p/peer.ts';
import { callPeer } from '../p2p/rpc.ts';
import { isSignedBid } from '../p2p/signed-bid.ts';
import { createEnclaveHost } from '../sandbox/index.ts';
import { verifyExecutionProof } from '../verify/index.ts';
import { type NodeConfig, nodeConfigSchema } from './config.ts';
import { createKeptArtifacts } from './kept-artifacts.ts';
import type { NodeLogger } from './logger.ts';
import { setOf, toldTo } from './neighbours/neighbours.fixture.ts';
import { type RunningNode, startNode } from './node.ts';

const machine = simulatedMachine(instant(Date.now()));
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const engineWith = async (script?: EngineScript): Promise<ScriptedEngine> => {
  const engine = await startScriptedEngine(script);
  stops.push(engine.stop);
  return engine;
};

const configFor = (engines: readonly string[], policy: Partial<NodeConfig['costPolicy']> = {}): NodeConfig =>
  nodeConfigSchema.parse({
    name: 'test',
    owner: 'subject-1',
    infrastructureType: 'edge_devices',
    asn: 64_500,
    region: 'eu-west',
    tops: 2000,
    platforms: ['amd_sev_snp'],
    engines,
    stake: '1000',
    costPolicy: { pricePerH200Hour: '300000', floor: '1', margin: 0, maxConcurrent: 2, ...policy },
  });

const logged: string[] = [];
const log: NodeLogger = {
  info: (fields, message) => void logged.push(`${message} ${JSON.stringify(fields)}`),
  warn: (fields, message) => void logged.push(`${message} ${JSON.stringify(fields)}`),
  error: (fields, message) => void logged.push(`${message} ${JSON.stringify(fields)}`),
};

const FAST: FuelRate = { perSecond: 1e12, cores: 64, startSeconds: 0 };

const nodeWith = async (
  config: NodeConfig,
  seed = randomBytes(32),
  calibrate: () => Promise<FuelRate> = () => Promise.resolve(FAST),
): Promise<RunningNode> => {
  logged.length = 0;
  const host = createEnclaveHost({ platform: machine.platform });
  const directory = await mkdtemp(join(tmpdir(), 'aivillage-kept-'));
  stops.push(() => rm(directory, { recursive: true }));
  const kept = createKeptArtifacts({
    directory,
    maxBytes: 2 ** 20,
    onError: (error) => log.error({ error }, 'kept'),
  });
  const platforms = [machine.platform];
  const node = await startNode({ config, seed, platforms, host, calibrate, kept, nowMs: Date.now, log });
  stops.push(node.stop);
  return node;
};

const joined = (engine: ScriptedEngine, times = 1): Promise<void> =>
  vi.waitFor(() => expect(engine.joins).toHaveLength(times), { timeout: 10_000 });

const auction = (suffix: string, terms: Partial<AuctionAnnouncement> = {}): AuctionAnnouncement => ({
  auctionId: `auction-${suffix.padStart(26, '0')}`,
  submitter: 'subject-2',
  tier: 'gold',
  requiredTops: 900,
  utilization: 1,
  durationSeconds: 3600,
  winners: 3,
  ceiling: toMicro('1000000'),
  closesAt: instant(Date.now() + 15_000),
  ...terms,
});

const TIMEOUT = { timeoutMs: 20_000 };

describe('a node and its engine', () => {
  it('joins with its terms and beats as often as it is told', async () => {
    const engine = await engineWith({ heartbeatSeconds: 0.02 });
    await nodeWith(configFor([engine.address]));
    await joined(engine);
    expect(engine.joins[0]).toMatchObject({
      infrastructureType: 'edge_devices',
      asn: 64_500,
      tops: 2000,
      stake: '1000',
    });
    await vi.waitFor(() => expect(engine.beats.length).toBeGreaterThan(3));
    const numbers = engine.beats.map((beat) => beat.sequence);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  });

  it('comes back after the engine restarts at the same address', async () => {
    const seed = randomBytes(32);
    const first = await startScriptedEngine({ seed });
    await nodeWith(configFor([first.address]));
    await joined(first);
    const port = Number(first.address.split('/')[4]);
    await first.stop();
    const second = await engineWith({ seed, port });
    await joined(second);
    expect(second.joins).toMatchObject([{ asn: 64_500 }]);
  });

  it('keeps trying while its join is refused', async () => {
    let left = 2;
    const engine = await engineWith({
      onJoin: () =>
        left-- > 0 ? { type: 'refused', code: 'RESOURCE_UNAVAILABLE', message: 'starting' } : null,
    });
    await nodeWith(configFor([engine.address]));
    await joined(engine);
    expect(logged.filter((line) => line.includes('RESOURCE_UNAVAILABLE starting'))).toHaveLength(2);
  });

  it('joins nobody who answers under another key', async () => {
    const engine = await engineWith();
    const impostor = engine.address.replace(engine.peer.peerId, await peerIdOf(randomBytes(32)));
    await nodeWith(configFor([impostor]));
    await vi.waitFor(() => expect(logged.filter((line) => line.includes('trying again'))).toHaveLength(2));
    expect(engine.joins).toEqual([]);
  });

  it('stays with every engine it knows', async () => {
    const engines = [await engineWith(), await engineWith()];
    await nodeWith(configFor(engines.map((engine) => engine.address)));
    await Promise.all(engines.map((engine) => joined(engine)));
    await vi.waitFor(() => expect(logged.filter((line) => line.startsWith('node ready'))).toHaveLength(2));
  });

  it('attests its host under its own key', async () => {
    const engine = await engineWith();
    const node = await nodeWith(configFor([engine.address]));
    await joined(engine);
    const nonce = 'ab'.repeat(32);
    const reply = await engine.ask({ type: 'attest-host', platform: 'amd_sev_snp', nonce }, TIMEOUT);
    expect(reply).toMatchObject({ type: 'attestation', enclaveKey: node.publicKey });
    const other = await engine.ask({ type: 'attest-host', platform: 'intel_sgx', nonce }, TIMEOUT);
    expect(other).toMatchObject({
      type: 'refused',
      code: 'UNSUPPORTED_PLATFORM',
      errors: [{ field: 'platform' }],
    });
  });
});

describe('bidding', () => {
  const announce = async (engine: ScriptedEngine, news: AuctionAnnouncement): Promise<void> => {
    expect(await engine.ask({ type: 'auction-opened', auction: news }, TIMEOUT)).toEqual({ type: 'noted' });
  };

  it('bids its cost once per auction, signed, and never logs the price', async () => {
    const seed = randomBytes(32);
    const engine = await engineWith();
    const node = await nodeWith(configFor([engine.address]), seed);
    await joined(engine);
    const news = auction('1');
    await announce(engine, news);
    await announce(engine, { ...news, closesAt: instant(Date.now() + 90_000) });
    await announce(engine, auction('2', { requiredTops: 100 }));
    await vi.waitFor(() => expect(engine.bids).toHaveLength(2));
    const [bid] = engine.bids;
    expect(bid).toMatchObject({ auctionId: news.auctionId, price: '300000' });
    const key = Buffer.from(node.publicKey, 'hex');
    expect(bid && isSignedBid(key, bid, Buffer.from(bid.signature, 'base64url'))).toBe(true);
    expect(logged.join('\n')).not.toContain('300000');
  });

  it('bids once however many engines tell it of the auction, and through another when one stalls', async () => {
    const stalled = await engineWith({ onBid: () => new Promise(() => undefined) });
    const other = await engineWith();
    await nodeWith(configFor([stalled.address, other.address]));
    await Promise.all([joined(stalled), joined(other)]);
    const news = auction('1');
    await Promise.all([announce(stalled, news), announce(other, news)]);
    await vi.waitFor(() => expect(other.bids).toHaveLength(1), { timeout: 20_000 });
    expect(stalled.bids).toEqual(other.bids);
    await Promise.all([announce(stalled, news), announce(other, news)]);
    expect([stalled.bids.length, other.bids.length]).toEqual([1, 1]);
  });

  it("keeps off its owner's auctions, low ceilings, late auctions and what exceeds its capacity", async () => {
    const engine = await engineWith();
    await nodeWith(configFor([engine.address]));
    await joined(engine);
    await announce(engine, auction('1', { submitter: 'subject-1' }));
    await announce(engine, auction('2', { ceiling: toMicro('299999') }));
    await announce(engine, auction('3', { closesAt: instant(Date.now() - 1) }));
    await announce(engine, auction('4', { requiredTops: 2001 }));
    // Bids that stand hold nothing: of three auctions that would not fit together each gets one.
    for (const suffix of ['5', '6', '7']) await announce(engine, auction(suffix));
    await vi.waitFor(() =>
      expect(engine.bids.map((bid) => bid.auctionId.at(-1)).toSorted()).toEqual(['5', '6', '7']),
    );
    for (const bid of engine.bids) expect(units(bid.price)).toBeLessThanOrEqual(1_000_000n);
  });

  it('settled 44: bids once it has measured its machine, anew at each join, and for nothing that is too much for it', async () => {
    const seed = randomBytes(32);
    const first = await startScriptedEngine({ seed });
    const slow: FuelRate = { perSecond: 100_000_000, cores: 64, startSeconds: 0 };
    const measured = Promise.withResolvers<FuelRate>();
    const rates = [() => Promise.reject(new Error('no sandbox')), () => measured.promise];
    const measure = (): Promise<FuelRate> => (rates.shift() ?? (() => Promise.resolve(FAST)))();
    await nodeWith(configFor([first.address]), randomBytes(32), measure);
    await joined(first);
    await announce(first, auction('1', { requiredTops: 100 }));
    await announce(first, auction('2', { requiredTops: 101 }));
    await announce(first, auction('3', { requiredTops: 1, closesAt: instant(Date.now() + 300) }));
    await vi.waitFor(() => expect(logged).toContainEqual(expect.stringContaining('"reason":"not-measured"')));
    expect(logged).toContainEqual(expect.stringContaining('the fuel rate could not be measured'));
    expect(first.bids).toEqual([]);

    measured.resolve(slow);
    await vi.waitFor(() => expect(first.bids.map(({ auctionId }) => auctionId.at(-1))).toEqual(['1']));
    expect(logged).toContainEqual(
      expect.stringMatching(
        /^no bid .*0002","reason":"not-in-time","neededSeconds":3636,"durationSeconds":3600/,
      ),
    );

    const port = Number(first.address.split('/')[4]);
    await first.stop();
    const second = await engineWith({ seed, port });
    await joined(second);
    await vi.waitFor(() =>
      expect(logged.filter((line) => line.startsWith('fuel rate measured'))).toHaveLength(2),
    );
    await announce(second, auction('4', { requiredTops: 101 }));
    await vi.waitFor(() => expect(second.bids).toHaveLength(1));
  });

  it('settled 41: a long auction holds none of its capacity before its last seconds', async () => {
    const engine = await engineWith();
    await nodeWith(configFor([engine.address], { maxConcurrent: 1 }));
    await joined(engine);
    const closesAt = instant(Date.now() + 31_500);
    await announce(engine, auction('1', { closesAt: instant(Date.now() + 3_600_000) }));
    await announce(engine, auction('2', { closesAt }));
    // Both would take the only place; a third one, which closes soon, finds it free.
    await announce(engine, auction('3'));
    await vi.waitFor(() => expect(engine.bids.map(({ auctionId }) => auctionId.at(-1))).toEqual(['3']));
    await engine.ask({ type: 'auction-ended', auctionId: auction('3').auctionId, won: false }, TIMEOUT);
    await vi.waitFor(() => expect(engine.bids.map(({ auctionId }) => auctionId.at(-1))).toEqual(['3', '2']), {
      timeout: 20_000,
    });
  });

  it('settled 37: asks what became of its bid where no news of the close comes, and frees or keeps its place', async () => {
    const asked: string[] = [];
    const engine = await engineWith({
      onOutcome: (auctionId) => {
        asked.push(auctionId.at(-1) as string);
        return { type: 'bid-decided', won: auctionId.endsWith('2') };
      },
    });
    await nodeWith(configFor([engine.address]));
    await joined(engine);
    const closesAt = instant(Date.now() + 1000);
    await announce(engine, auction('1', { closesAt }));
    await announce(engine, auction('2', { closesAt }));
    await vi.waitFor(() => expect(engine.bids).toHaveLength(2));
    await vi.waitFor(() => expect(asked.toSorted()).toEqual(['1', '2']), { timeout: 20_000 });
    // What it won is still reserved: beside it there is room for what is left, and for nothing larger.
    let number = 3;
    await vi.waitFor(
      async () => {
        await announce(engine, auction(String(number++), { requiredTops: 1101 }));
        expect(logged.join()).toContain('no-capacity');
      },
      { timeout: 20_000 },
    );
    const last = auction('99', { requiredTops: 1100 });
    await announce(engine, last);
    await vi.waitFor(() => expect(engine.bids.at(-1)?.auctionId).toBe(last.auctionId));
  });

  it('settled 38: comes in for another where it has a place, which is booked for that auction alone', async () => {
    const engine = await engineWith({ onOutcome: () => ({ type: 'bid-decided', won: false }) });
    await nodeWith(configFor([engine.address], { maxConcurrent: 1 }));
    await joined(engine);
    const standIn = (digit: string) =>
      engine.ask(
        {
          type: 'stand-in',
          auctionId: auction(digit).auctionId,
          tops: 500,
          deposit: toMicro('1000'),
          payment: toMicro('900'),
        },
        TIMEOUT,
      );
    expect(await standIn('1')).toEqual({ type: 'standing-in' });
    // Its answer was lost: it is asked again, and has one place booked all the same.
    expect(await standIn('1')).toEqual({ type: 'standing-in' });
    expect(await standIn('2')).toMatchObject({ type: 'refused', code: 'RESOURCE_UNAVAILABLE' });
    await announce(engine, auction('3'));
    expect(engine.bids).toEqual([]);
    // The engine could not book the deposit.
    const { auctionId } = auction('1');
    expect(await engine.ask({ type: 'auction-ended', auctionId, won: false }, TIMEOUT)).toEqual({
      type: 'noted',
    });
    expect(await standIn('2')).toEqual({ type: 'standing-in' });
  });

  it('repeats a bid that met an engine which was not ready, and none that stands or was refused for good', async () => {
    let tries = 0;
    const engine = await engineWith({
      onBid: ({ auctionId }) => {
        if (auctionId.endsWith('1')) return { type: 'refused', code: 'AUCTION_EXPIRED', message: 'too late' };
        const code = tries++ === 0 ? 'RESOURCE_UNAVAILABLE' : 'CONFLICT';
        return { type: 'refused', code, message: 'starting' };
      },
    });
    await nodeWith(configFor([engine.address], { maxConcurrent: 1 }));
    await joined(engine);
    await announce(engine, auction('1'));
    await vi.waitFor(() => expect(logged.some((line) => line.includes('AUCTION_EXPIRED'))).toBe(true));
    await announce(engine, auction('2'));
    await vi.waitFor(() => expect(logged.some((line) => line.includes('CONFLICT'))).toBe(true), {
      timeout: 5000,
    });
    // The conflict is a bid of its own that stands: told of its auction again, the node has nothing to add.
    await announce(engine, auction('2'));
    await announce(engine, auction('3'));
    const bids = () => engine.bids.map(({ auctionId }) => auctionId.at(-1));
    await vi.waitFor(() => expect(bids()).toContain('3'));
    expect(bids()).toEqual(['1', '2', '2', '3']);
  });
});

describe('enclaves', { timeout: 60_000 }, () => {
  const enclaveId = `enclave-${'1'.repeat(26)}`;
  const config = { memoryMb: 64, cpuCores: 1, allowDebug: false } as const;
  const input = new TextEncoder().encode('one two three');
  const nonce = 'cd'.repeat(32);

  const ready = async () => {
    const code = await readFile(new URL('../workloads/word-count.wasm', import.meta.url));
    const engine = await engineWith();
    engine.artifacts.set(sha256(code), code);
    engine.artifacts.set(sha256(input), input);
    await nodeWith(configFor([engine.address]));
    await joined(engine);
    const create = {
      type: 'create-enclave',
      enclaveId,
      platform: 'amd_sev_snp',
      codeHash: sha256(code),
      config,
    } as const;
    return { engine, create };
  };

  const run: Extract<NodeRequest, { type: 'run-enclave' }> = {
    type: 'run-enclave',
    enclaveId,
    jobId: null,
    work: {
      args: [],
      inputHash: sha256(input),
      randomSeed: '5e'.repeat(32),
      clockStart: '2026-01-01T00:00:00.000Z',
      timeLimitSeconds: 30,
    },
  };

  it('are created, attested, run and destroyed; every repetition is answered like the first', async () => {
    const { engine, create } = await ready();
    const created = await Promise.all([engine.ask(create, TIMEOUT), engine.ask(create, TIMEOUT)]);
    expect(created[0]).toMatchObject({ type: 'enclave-created' });
    expect(created[1]).toEqual(created[0]);
    const attested = await engine.ask({ type: 'attest-enclave', enclaveId, nonce }, TIMEOUT);
    expect(attested).toMatchObject({ type: 'attestation' });

    const [first, joinedRun] = await Promise.all([engine.ask(run, TIMEOUT), engine.ask(run, TIMEOUT)]);
    const repeated = await engine.ask(run, TIMEOUT);
    if (first.type !== 'run-finished') throw new Error(JSON.stringify(first));
    expect(joinedRun).toEqual(first);
    expect(repeated).toEqual(first);
    const verdict = await verifyExecutionProof(first.proof, {
      roots: machine.roots,
      now: instant(Date.now()),
      policy: { allowSimulated: true },
    });
    expect(verdict.reasons.filter((reason) => !reason.ok)).toEqual([]);
    expect(Buffer.from(engine.artifacts.get(first.proof.record.outputHash) ?? []).toString()).toBe(
      'words: 3\n',
    );

    const destroy = { type: 'destroy-enclave', enclaveId } as const;
    expect(await engine.ask(destroy, TIMEOUT)).toEqual({ type: 'destroyed' });
    expect(await engine.ask(destroy, TIMEOUT)).toEqual({ type: 'destroyed' });
    expect(await engine.ask(create, TIMEOUT)).toMatchObject({ type: 'refused', code: 'CONFLICT' });
    expect(await engine.ask(run, TIMEOUT)).toMatchObject({ type: 'refused', code: 'RESOURCE_NOT_FOUND' });
  });

  it('are refused beyond the capacity, for another order under the same id, and without their module', async () => {
    const { engine, create } = await ready();
    const other = (digit: string) => ({ ...create, enclaveId: `enclave-${digit.repeat(26)}` });
    expect(await engine.ask(create, TIMEOUT)).toMatchObject({ type: 'enclave-created' });
    expect(await engine.ask({ ...create, codeHash: 'f'.repeat(64) }, TIMEOUT)).toMatchObject({
      code: 'CONFLICT',
    });
    expect(await engine.ask({ ...other('2'), codeHash: 'f'.repeat(64) }, TIMEOUT)).toMatchObject({
      type: 'refused',
      code: 'AUTHORIZATION_FAILED',
    });
    expect(await engine.ask(other('3'), TIMEOUT)).toMatchObject({ type: 'enclave-created' });
    expect(await engine.ask(other('4'), TIMEOUT)).toMatchObject({
      type: 'refused',
      code: 'RESOURCE_UNAVAILABLE',
    });
    await engine.ask({ type: 'destroy-enclave', enclaveId: other('3').enclaveId }, TIMEOUT);
    expect(await engine.ask(other('5'), TIMEOUT)).toMatchObject({ type: 'enclave-created' });
  });

  it('never run bytes that differ from the hash they were asked by', async () => {
    const { engine, create } = await ready();
    engine.artifacts.set(create.codeHash, randomBytes(100));
    expect(await engine.ask(create, TIMEOUT)).toMatchObject({
      type: 'refused',
      code: 'RESOURCE_UNAVAILABLE',
    });
  });
});

describe('other nodes', () => {
  it('are connected as the draws say, and named in the beats', async () => {
    const told = new Map<string, NeighbourhoodReply>();
    const engine = await engineWith({
      heartbeatSeconds: 0.05,
      onNeighbourhood: (id) => told.get(id) ?? { type: 'neighbourhood', epochs: [], contacts: [] },
    });
    const seeds = [randomBytes(32), randomBytes(32)];
    const nodes: RunningNode[] = [];
    for (const seed of seeds) nodes.push(await nodeWith(configFor([engine.address]), seed));
    await joined(engine, 2);
    const members = seeds.map((seed, index) => {
      const { publicKey } = nodes[index] as RunningNode;
      const addresses = engine.joins[index]?.addresses ?? [];
      return { nodeId: providerIdOf(publicKey), vrfKey: nodeVrfKey(seed), addresses };
    });
    const set = setOf(members, 1);
    for (const member of members) told.set(member.nodeId, toldTo(set, member, members, [7]));
    const ids = members.map(({ nodeId }) => nodeId).sort();
    await vi.waitFor(
      () => {
        const named = engine.beats.flatMap(({ neighbours }) => neighbours ?? []);
        expect([...new Set(named)].sort()).toEqual(ids);
      },
      { timeout: 20_000 },
    );
  });

  it('reach no more of a node than its neighbourhood', async () => {
    const engine = await engineWith();
    await nodeWith(configFor([engine.address]));
    await joined(engine);
    const stranger = await createPeer({ seed: randomBytes(32) });
    stops.push(stranger.stop);
    const connection = await stranger.libp2p.dial(multiaddr(engine.joins[0]?.addresses?.[0]));
    expect(
      await askNodeOver(connection)(
        { type: 'destroy-enclave', enclaveId: `enclave-${'1'.repeat(26)}` },
        TIMEOUT,
      ),
    ).toMatchObject({ type: 'refused', code: 'AUTHORIZATION_FAILED' });
    const introduction = await callPeer(
      connection,
      PROTOCOLS.neighbourhood,
      { type: 'introduce', epoch: 1, selections: [] },
      peerReplySchemas.introduce,
      TIMEOUT,
    );
    expect(introduction).toMatchObject({ ok: true, reply: { type: 'refused' } });
    await vi.waitFor(() => expect(stranger.libp2p.getConnections()).toEqual([]));
  });
});
