import { createHash, randomBytes } from 'node:crypto';
import {
  type BidNews,
  type EngineReplies,
  type EngineRequest,
  type MeshRefusal,
  type NeighbourhoodReply,
  PROTOCOLS,
} from '../../domain/mesh/messages.ts';
import { discoveryRequestSchema, workRequestSchema } from '../../domain/mesh/schema.ts';
import { providerIdOf } from '../../domain/provider/provider-id.ts';
import type { WorkRequest } from '../../infra/node/engine-link.ts';
import { type AskNode, askNodeOver } from '../../infra/p2p/ask-node.ts';
import { createByteBudget } from '../../infra/p2p/byte-budget.ts';
import { ARTIFACT_FRAME_BYTES } from '../../infra/p2p/frames.ts';
import { createPeer, type Peer, remotePublicKey } from '../../infra/p2p/peer.ts';
import { servePeer } from '../../infra/p2p/rpc.ts';

export type Heard<T extends EngineRequest['type']> = Extract<EngineRequest, { type: T }>;

export interface ScriptedEngine {
  readonly peer: Peer;
  readonly address: string;
  readonly joins: Heard<'join'>[];
  readonly beats: Heard<'heartbeat'>[];
  readonly bids: Heard<'bid'>[];
  /** Served to nodes, and what they stored. */
  readonly artifacts: Map<string, Uint8Array>;
  /** Requests to the node that joined last. */
  ask: AskNode;
  stop(): Promise<void>;
}

export interface EngineScript {
  readonly seed?: Uint8Array;
  readonly port?: number;
  readonly heartbeatSeconds?: number;
  /** Answers a bid; by default it is placed. A promise that stays open is an engine that stalls. */
  readonly onBid?: (
    bid: Heard<'bid'>,
  ) => EngineReplies['bid'] | MeshRefusal | Promise<EngineReplies['bid'] | MeshRefusal>;
  /** What became of a bid; by default it was lost. */
  readonly onOutcome?: (auctionId: string) => BidNews;
  /** Refuses a join, or null. */
  readonly onJoin?: (join: Heard<'join'>) => MeshRefusal | null;
  /** What nodes are told of their neighbours; nothing by default. */
  readonly onNeighbourhood?: (providerId: string) => NeighbourhoodReply;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** An engine reduced to its mesh: takes joins, beats, bids and artefacts, and remembers them. */
export const startScriptedEngine = async (script: EngineScript = {}): Promise<ScriptedEngine> => {
  const listen = [`/ip4/127.0.0.1/tcp/${script.port ?? 0}`];
  const peer = await createPeer({ seed: script.seed ?? randomBytes(32), listen });
  const engine: ScriptedEngine = {
    peer,
    address: peer.addresses()[0] as string,
    joins: [],
    beats: [],
    bids: [],
    artifacts: new Map(),
    ask: () => Promise.reject(new Error('no node has joined')),
    stop: () => peer.stop(),
  };
  const onError = (error: unknown): void => {
    throw error;
  };

  await servePeer(peer, PROTOCOLS.resourceDiscovery, {
    request: discoveryRequestSchema,
    answer: async (request, connection): Promise<EngineReplies['join' | 'heartbeat'] | MeshRefusal> => {
      if (request.type === 'heartbeat') {
        engine.beats.push(request);
        return { type: 'seen' };
      }
      const refused = script.onJoin?.(request);
      if (refused) return refused;
      engine.joins.push(request);
      engine.ask = askNodeOver(connection);
      const providerId = providerIdOf(remotePublicKey(connection) as string);
      return { type: 'joined', providerId, heartbeatSeconds: script.heartbeatSeconds ?? 5 };
    },
    onError,
  });

  await servePeer(peer, PROTOCOLS.agentCommunication, {
    request: workRequestSchema,
    answer: async (request, connection): Promise<EngineReplies[WorkRequest] | MeshRefusal> => {
      if (request.type === 'neighbourhood') {
        const providerId = providerIdOf(remotePublicKey(connection) as string);
        return script.onNeighbourhood?.(providerId) ?? { type: 'neighbourhood', epochs: [], contacts: [] };
      }
      if (request.type === 'bid') {
        engine.bids.push(request);
        return (
          (await script.onBid?.(request)) ?? {
            type: 'bid-placed',
            bidId: `bid-${'0'.repeat(26)}`,
            position: '1',
          }
        );
      }
      if (request.type === 'bid-outcome')
        return script.onOutcome?.(request.auctionId) ?? { type: 'bid-decided', won: false };
      if (request.type === 'store-output') {
        engine.artifacts.set(request.sha256, Buffer.from(request.bytes, 'base64url'));
        return { type: 'stored' };
      }
      const bytes = engine.artifacts.get(request.sha256);
      if (!bytes) return { type: 'refused', code: 'AUTHORIZATION_FAILED', message: 'not for this node' };
      return { type: 'artifact', bytes: Buffer.from(bytes).toString('base64url') };
    },
    artifacts: { mayCarry: () => true, budget: createByteBudget(ARTIFACT_FRAME_BYTES) },
    onError,
  });
  return engine;
};
