import { createHash, randomBytes } from 'node:crypto';
import type { Connection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import type { Pool } from 'pg';
import { expect } from 'vitest';
import { ok, reject } from '../../domain/errors.ts';
import { ulidFrom } from '../../domain/ids.ts';
import {
  type EngineReplies,
  type EngineRequest,
  type NodeRequest,
  PROTOCOLS,
} from '../../domain/mesh/messages.ts';
import { engineReplySchemas, nodeRequestSchema } from '../../domain/mesh/schema.ts';
import { toMicro } from '../../domain/money.ts';
import { epochMs, instant } from '../../domain/time.ts';
import type { EngineHandlers } from '../../infra/p2p/engine-handlers.ts';
import { createEngineMesh, type EngineMesh } from '../../infra/p2p/engine-mesh.ts';
import { ARTIFACT_FRAME_BYTES } from '../../infra/p2p/frames.ts';
import { createPeer, type Peer } from '../../infra/p2p/peer.ts';
import { addressesOf } from '../../infra/p2p/routes.ts';
import { callPeer, servePeer } from '../../infra/p2p/rpc.ts';
import { leaseWorker, type WorkerLease } from '../../infra/p2p/worker-lease.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { createTestDatabase } from './postgres.ts';

const LOOPBACK = ['/ip4/127.0.0.1/tcp/0'];
export const testProviderId = (publicKey: string): string =>
  `provider-${ulidFrom(createHash('sha256').update(publicKey).digest())}`;

/** The engine's outside, recorded. */
const scriptedHandlers = (pool: Pool) => {
  const seen: string[] = [];
  const artifacts = new Map<string, Uint8Array>();
  const handlers: EngineHandlers = {
    join: async (publicKey) => ok(testProviderId(publicKey)),
    bid: async (providerId, bid) => {
      seen.push(`${providerId} bids in ${bid.auctionId}`);
      return { ok: true, bidId: `bid-${'0'.repeat(26)}`, position: '7', revision: '1', state: 'open' };
    },
    bidOutcome: async () => ok({ type: 'bid-decided', won: false }),
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

export interface TestEngine {
  /** Of its peer key. */
  readonly seed: Uint8Array;
  readonly peer: Peer;
  readonly mesh: EngineMesh;
  readonly lease: WorkerLease;
  /** Ends it in order. */
  stop(): Promise<void>;
  /** Ends it as SIGKILL does, as far as others see: its connections close, and it no longer says that it lives. */
  die(): Promise<void>;
}

export interface TestNode {
  readonly peer: Peer;
  readonly seed: Uint8Array;
  readonly connection: Connection;
  readonly providerId: string;
  readonly heard: NodeRequest[];
  /** The same node over a connection to another worker. */
  dial(engine: Peer): Promise<TestNode>;
  tell<T extends EngineRequest['type']>(
    request: Extract<EngineRequest, { type: T }>,
  ): Promise<EngineReplies[T] | { type: 'refused'; code: string }>;
}

const NOTES = async (): Promise<object> => ({ type: 'noted' });

/** Workers and nodes of one mesh over a database of its own, with the engine's outside scripted. */
export interface TestMesh {
  readonly pool: Pool;
  /** Errors that nobody waited for; `end` expects none. */
  readonly errors: unknown[];
  /** The workers' clock. */
  clock: string;
  script: ReturnType<typeof scriptedHandlers>;
  begin(): void;
  end(): Promise<void>;
  close(): Promise<void>;
  /**
   * A worker that has been awake for `awake` (an SQL interval), as whoever judges sees it; by default with a key that no
   * node knows.
   */
  startEngine(options?: {
    readonly index?: number;
    readonly awake?: string;
    readonly seed?: Uint8Array;
  }): Promise<TestEngine>;
  /** A node that answers what `answer` says; by default it notes everything. */
  startNode(engine: Peer, answer?: (request: NodeRequest) => Promise<object>): Promise<TestNode>;
  joinMessage(at?: string): Extract<EngineRequest, { type: 'join' }>;
  join(node: TestNode): Promise<void>;
}

export const createTestMesh = async (): Promise<TestMesh> => {
  const database = await createTestDatabase();
  await migrate(database.url);
  const pool = createPool(database.url, { name: 'mesh-test', max: 16 });
  const errors: unknown[] = [];
  const stops: (() => Promise<unknown>)[] = [];

  const mesh: TestMesh = {
    pool,
    errors,
    clock: instant(Date.now()),
    script: scriptedHandlers(pool),

    begin() {
      mesh.clock = instant(Date.now());
      mesh.script = scriptedHandlers(pool);
      errors.length = 0;
    },

    async end() {
      await Promise.all(stops.splice(0).map((stop) => stop()));
      await pool.query('truncate engine.heartbeats, engine.node_routes, engine.workers');
      expect(errors).toEqual([]);
    },

    async close() {
      await pool.end();
      await database.drop();
    },

    async startEngine({ index = 0, awake = '1 hour', seed = randomBytes(32) } = {}) {
      const lease = (await leaseWorker({
        pool,
        index,
        signal: new AbortController().signal,
        onWaiting: () => undefined,
        onError: (error) => errors.push(error),
      })) as WorkerLease;
      const peer = await createPeer({ seed, listen: LOOPBACK });
      await lease.serve({ peerId: peer.peerId, address: peer.addresses()[0] as string });
      await pool.query(
        'update engine.workers set awake_since = clock_timestamp() - $2::interval where index = $1',
        [index, awake],
      );
      const { handlers } = mesh.script;
      const served = await createEngineMesh({
        peer,
        lease,
        pool,
        handlers,
        now: () => mesh.clock,
        monotonicMs: () => epochMs(mesh.clock),
        onError: (error) => errors.push(error),
      });
      let stopped: Promise<void> | null = null;
      const stop = (): Promise<void> => {
        stopped ??= (async () => {
          await served.stop();
          await lease.release();
          await peer.stop();
        })();
        return stopped;
      };
      stops.push(stop);
      return {
        seed,
        peer,
        mesh: served,
        lease,
        stop,
        die: async () => {
          await peer.stop();
          await stop();
          await pool.query('update engine.workers set stopped_at = null where index = $1', [index]);
        },
      };
    },

    async startNode(engine, answer = NOTES) {
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
      const providerId = testProviderId(peer.publicKey);
      const dial = async (to: Peer): Promise<TestNode> => {
        const connection = await peer.libp2p.dial(multiaddr(to.addresses()[0]));
        return {
          peer,
          seed,
          connection,
          heard,
          providerId,
          dial,
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
      return dial(engine);
    },

    joinMessage: (at = mesh.clock) => ({
      type: 'join',
      at,
      infrastructureType: 'edge_devices',
      asn: 64500,
      region: 'eu-west',
      tops: 500,
      platforms: ['amd_sev_snp'],
      stake: toMicro('1000000'),
    }),

    async join(node) {
      expect(await node.tell(mesh.joinMessage())).toEqual({
        type: 'joined',
        providerId: node.providerId,
        heartbeatSeconds: 5,
      });
    },
  };
  return mesh;
};
