import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type NodeRequest, PROTOCOLS } from '../../domain/mesh/messages.ts';
import { relayReplySchema } from '../../domain/mesh/schema.ts';
import { addMs } from '../../domain/time.ts';
import { createTestMesh, type TestEngine, type TestMesh, type TestNode } from '../../test/support/mesh.ts';
import { createAskThrough } from './relay.ts';
import { awaitedNodes } from './routes.ts';
import { callPeer } from './rpc.ts';
import { type LiveWorker, liveWorkers } from './workers.ts';

const ENCLAVE = `enclave-${'0'.repeat(26)}`;
const DESTROY = { type: 'destroy-enclave', enclaveId: ENCLAVE } as const;
const CREATE = {
  type: 'create-enclave',
  enclaveId: ENCLAVE,
  platform: 'amd_sev_snp',
  codeHash: '0'.repeat(64),
  config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
} as const;
const PATIENCE = { timeout: 20_000, interval: 50 };
const timeoutMs = 10_000;

let test: TestMesh;
beforeAll(async () => {
  test = await createTestMesh();
});
afterAll(() => test?.close());
beforeEach(() => test.begin());
afterEach(() => test.end());

const silent = (): Promise<object> => new Promise(() => undefined);
const answer = async ({ type }: NodeRequest): Promise<object> => {
  if (type === 'destroy-enclave') return { type: 'destroyed' };
  return { type: 'refused', code: 'RESOURCE_UNAVAILABLE', message: 'full' };
};

/** Two workers that know of each other. */
const startTwo = async (): Promise<readonly [TestEngine, TestEngine]> => {
  const zero = await test.startEngine({ index: 0 });
  const one = await test.startEngine({ index: 1 });
  await vi.waitFor(() => {
    for (const { lease } of [zero, one]) expect(lease.live()).toHaveLength(2);
  }, PATIENCE);
  return [zero, one];
};

/** A node that has joined each of `engines`, over a connection to each. */
const joinedTo = async (
  [first, ...others]: readonly [TestEngine, ...TestEngine[]],
  answers: (request: NodeRequest) => Promise<object> = answer,
): Promise<TestNode> => {
  const node = await test.startNode(first.peer, answers);
  await test.join(node);
  for (const other of others) await test.join(await node.dial(other.peer));
  return node;
};

const workerOf = async ({ peer }: TestEngine): Promise<LiveWorker> => {
  const worker = (await liveWorkers(test.pool)).find(({ peerId }) => peerId === peer.peerId);
  if (!worker) throw new Error('this worker does not live');
  return worker;
};

describe('a request to a node of another worker', () => {
  it('goes through the worker that holds the connection, and comes back typed or refused', async () => {
    const [zero, one] = await startTwo();
    const node = await joinedTo([zero]);
    expect(await one.mesh.request(node.providerId, DESTROY, { timeoutMs })).toEqual({ type: 'destroyed' });
    expect(await one.mesh.request(node.providerId, CREATE, { timeoutMs })).toEqual({
      type: 'refused',
      code: 'RESOURCE_UNAVAILABLE',
      message: 'full',
    });
    expect(node.heard).toEqual([DESTROY, CREATE]);
    expect(await one.mesh.connected()).toEqual([node.providerId]);
  });

  it('says that the node was silent as the worker beside it would', async () => {
    const [zero, one] = await startTwo();
    const { providerId } = await joinedTo([zero], silent);
    for (const { mesh } of [zero, one]) {
      const reply = await mesh.request(providerId, DESTROY, { timeoutMs: 200 });
      expect(reply).toMatchObject({ type: 'unreachable', cause: 'node' });
    }
  });

  it('is given up with its caller', async () => {
    const [zero, one] = await startTwo();
    const node = await joinedTo([zero], silent);
    const calling = new AbortController();
    const asked = one.mesh.request(node.providerId, DESTROY, { timeoutMs: 60_000, signal: calling.signal });
    await vi.waitFor(() => expect(node.heard).toHaveLength(1), PATIENCE);
    const ofNode = () =>
      node.connection.streams.filter(({ protocol }) => protocol === PROTOCOLS.agentCommunication);
    expect(ofNode()).toHaveLength(1);
    calling.abort();
    expect(await asked).toMatchObject({ type: 'unreachable' });
    await vi.waitFor(() => expect(ofNode()).toEqual([]), PATIENCE);
  });

  it('takes another way when the worker on the first has died', async () => {
    const [zero, one] = await startTwo();
    const two = await test.startEngine({ index: 2 });
    await vi.waitFor(() => expect(one.lease.live()).toHaveLength(3), PATIENCE);
    const node = await joinedTo([zero, one]);
    await zero.die();
    // For a moment it still counts as alive.
    await test.pool.query(
      `update engine.workers set alive_until = now() + interval '1 minute' where index = 0`,
    );
    for (let attempt = 0; attempt < 8; attempt++) {
      expect(await two.mesh.request(node.providerId, DESTROY, { timeoutMs })).toEqual({ type: 'destroyed' });
    }
  });

  it('does not wait for a worker that no longer says that it lives, and blames the engine', async () => {
    const [zero, one] = await startTwo();
    const node = await joinedTo([zero], silent);
    let live: readonly LiveWorker[] = await liveWorkers(test.pool);
    const askThrough = createAskThrough({ peer: one.peer, live: () => live });
    const asked = askThrough(await workerOf(zero), node.providerId, DESTROY, { timeoutMs: 60_000 });
    await vi.waitFor(() => expect(node.heard).toHaveLength(1), PATIENCE);
    live = [];
    expect(await asked).toBeNull();
  });

  it('is asked by workers of this engine alone', async () => {
    const [zero] = await startTwo();
    const node = await joinedTo([zero]);
    const stranger = await test.startNode(zero.peer);
    const request = { type: 'relay', providerId: node.providerId, request: DESTROY, timeoutMs } as const;
    const outcome = await callPeer(stranger.connection, PROTOCOLS.relay, request, relayReplySchema(DESTROY), {
      timeoutMs,
    });
    expect(outcome).toMatchObject({ ok: true, reply: { type: 'refused', code: 'AUTHORIZATION_FAILED' } });
    expect(node.heard).toEqual([]);
  });
});

describe('a node out of reach', () => {
  const causeOf = async ({ mesh }: TestEngine, providerId: string): Promise<string> => {
    const reply = await mesh.request(providerId, DESTROY, { timeoutMs });
    return reply.type === 'unreachable' ? reply.cause : reply.type;
  };

  it('is so by itself when it left a worker that is there', async () => {
    const [zero, one] = await startTwo();
    const node = await joinedTo([zero]);
    await node.peer.stop();
    await vi.waitFor(async () => expect(await one.mesh.connected()).toEqual([]), PATIENCE);
    expect(await causeOf(one, node.providerId)).toBe('node');
    expect(await causeOf(zero, node.providerId)).toBe('node');
  });

  it('is so by itself when it never came', async () => {
    const [zero] = await startTwo();
    expect(await causeOf(zero, 'provider-none')).toBe('node');
  });

  it('is so by the engine when the only worker that it knew has died, until it had time to learn of others', async () => {
    const [zero, one] = await startTwo();
    const node = await joinedTo([zero]);
    await zero.die();
    expect(await one.mesh.connected()).toEqual([]);
    expect(await causeOf(one, node.providerId)).toBe('engine');
    await test.pool.query(
      `update engine.workers set alive_until = now() - interval '11 minutes' where index = 0`,
    );
    expect(await causeOf(one, node.providerId)).toBe('node');
  });

  it('is so by the engine while no worker has been awake long enough for it to come back', async () => {
    const zero = await test.startEngine({ awake: '19 seconds' });
    const { providerId } = await joinedTo([zero]);
    await zero.die();
    const again = await test.startEngine({ awake: '0 seconds' });
    expect(await causeOf(again, providerId)).toBe('engine');
    expect(await again.mesh.hearableMs(providerId)).toBe(0);
    await test.pool.query(`update engine.workers set awake_since = now() - interval '21 seconds'`);
    expect(await causeOf(again, providerId)).toBe('node');
    expect(await again.mesh.hearableMs(providerId)).toBeGreaterThan(900);
  });
});

describe('nodes that have yet to come back', () => {
  it('are those that know a worker which has just begun and were there just now, until they are or had the time', async () => {
    const [zero, one] = await startTwo();
    const both = await joinedTo([zero, one]);
    const gone = await joinedTo([zero]);
    await joinedTo([one]);
    // However slow this machine is, it is just now.
    await test.pool.query(`update engine.heartbeats set last_seen = now() + interval '10 minutes'`);
    expect(await awaitedNodes(test.pool)).toEqual([]);
    await zero.stop();
    expect(await awaitedNodes(test.pool)).toEqual([]);

    const again = await test.startEngine({ seed: zero.seed, awake: '-10 minutes' });
    expect(await awaitedNodes(test.pool)).toEqual([{ index: 0, nodes: 2 }]);
    await test.pool.query(
      `update engine.heartbeats set last_seen = now() - interval '61 seconds' where provider_id = $1`,
      [gone.providerId],
    );
    expect(await awaitedNodes(test.pool)).toEqual([{ index: 0, nodes: 1 }]);
    const returned = await both.dial(again.peer);
    await test.join(returned);
    expect(await awaitedNodes(test.pool)).toEqual([]);

    await returned.connection.close();
    await vi.waitFor(async () => expect(await awaitedNodes(test.pool)).toHaveLength(1), PATIENCE);
    await test.pool.query(`update engine.workers set awake_since = now() - interval '21 seconds'`);
    expect(await awaitedNodes(test.pool)).toEqual([]);
  });
});

describe('presence', () => {
  const pass = async (engines: readonly TestEngine[], seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      test.clock = addMs(test.clock, 1000);
      await Promise.all(engines.map(({ mesh }) => mesh.checkPresence()));
    }
  };

  it('is judged by one worker, by the beats that any has heard', async () => {
    const engines = await startTwo();
    const node = await joinedTo([engines[1]]);
    for (let beats = 0; beats < 8; beats++) {
      await pass(engines, 4);
      await node.tell({ type: 'heartbeat', sequence: beats, at: test.clock });
    }
    expect(test.script.seen).toEqual([`${node.providerId} provider.up 0`]);
    await pass(engines, 30);
    expect(test.script.seen.slice(1)).toEqual([
      `${node.providerId} provider.suspected 2`,
      `${node.providerId} provider.lost 3`,
    ]);
  });

  it('accuses nobody whose only worker died: the other could not hear it', async () => {
    const [zero, one] = await startTwo();
    await pass([zero, one], 1);
    const stays = await joinedTo([zero, one]);
    const strays = await joinedTo([zero]);
    await pass([zero, one], 1);
    await zero.die();
    await vi.waitFor(() => expect(one.lease.leads()).toBe(true), PATIENCE);
    await pass([one], 50);
    expect(test.script.seen.toSorted()).toEqual(
      [
        `${stays.providerId} provider.up 0`,
        `${strays.providerId} provider.up 0`,
        `${stays.providerId} provider.suspected 2`,
        `${stays.providerId} provider.lost 3`,
      ].toSorted(),
    );
  });
});
