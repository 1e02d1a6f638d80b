import { createHash } from 'node:crypto';
import type { Connection } from '@libp2p/interface';
import { reject, rejectField } from '../../domain/errors.ts';
import {
  type EngineReplies,
  type EngineRequest,
  type MeshRefusal,
  PROTOCOLS,
} from '../../domain/mesh/messages.ts';
import { workRequestSchema } from '../../domain/mesh/schema.ts';
import { MAX_ARTIFACT_BYTES } from '../../domain/ports/artifacts.ts';
import { createByteBudget } from './byte-budget.ts';
import type { BidRequest, EngineHandlers } from './engine-handlers.ts';
import { ARTIFACT_FRAME_BYTES } from './frames.ts';
import { type Peer, remotePublicKey } from './peer.ts';
import { NOT_HELD, refusalOf, servePeer } from './rpc.ts';
import type { Sessions } from './sessions.ts';
import { isSignedBid } from './signed-bid.ts';

export interface WorkDeps {
  readonly peer: Peer;
  /** Whether this process may still act as this worker. */
  readonly held: () => boolean;
  readonly sessions: Sessions;
  readonly handlers: EngineHandlers;
  readonly onError: (error: unknown) => void;
}

/** Large uploads in memory at once: two of the largest. */
const UPLOAD_BUDGET_BYTES = 2 * ARTIFACT_FRAME_BYTES;

type Fetch = Extract<EngineRequest, { type: 'fetch-artifact' }>;
type Store = Extract<EngineRequest, { type: 'store-output' }>;
type Reply<T extends keyof EngineReplies> = Promise<EngineReplies[T] | MeshRefusal>;

/** Agent-communication at the engine: bids, artefacts in both directions, and neighbourhoods, for nodes that have joined. */
export const serveWork = ({ peer, held, sessions, handlers, onError }: WorkDeps): Promise<void> => {
  const bid = async (providerId: string, request: BidRequest, connection: Connection): Reply<'bid'> => {
    const publicKey = Buffer.from(remotePublicKey(connection) ?? '', 'hex');
    if (!isSignedBid(publicKey, request, Buffer.from(request.signature, 'base64url'))) {
      const rule = "the Ed25519 signature of the node's key over this bid";
      return refusalOf(
        reject('AUTHENTICATION_FAILED', 'the bid is not signed', [{ field: 'signature', rule }]),
      );
    }
    const outcome = await handlers.bid(providerId, request);
    return outcome.ok
      ? { type: 'bid-placed', bidId: outcome.bidId, position: outcome.position }
      : refusalOf(outcome);
  };

  const fetch = async (providerId: string, { sha256, enclaveId }: Fetch): Reply<'fetch-artifact'> => {
    const found = await handlers.fetchArtifact(providerId, { sha256, enclaveId });
    if (!found.ok) return refusalOf(found);
    return { type: 'artifact', bytes: Buffer.from(found.value).toString('base64url') };
  };

  const store = async (providerId: string, { sha256, enclaveId, bytes }: Store): Reply<'store-output'> => {
    const output = Buffer.from(bytes, 'base64url');
    if (output.byteLength > MAX_ARTIFACT_BYTES)
      return refusalOf(rejectField('bytes', `at most ${MAX_ARTIFACT_BYTES} bytes`));
    if (createHash('sha256').update(output).digest('hex') !== sha256) {
      return refusalOf(rejectField('sha256', 'the SHA-256 of the bytes'));
    }
    const stored = await handlers.storeOutput(providerId, { sha256, enclaveId }, output);
    return stored.ok ? { type: 'stored' } : refusalOf(stored);
  };

  return servePeer(peer, PROTOCOLS.agentCommunication, {
    request: workRequestSchema,
    answer: async (request, connection) => {
      if (!held()) return refusalOf(NOT_HELD);
      const session = sessions.over(connection);
      if (!session) return refusalOf(reject('AUTHENTICATION_FAILED', 'join first'));
      const { providerId } = session;
      switch (request.type) {
        case 'bid':
          return bid(providerId, request, connection);
        case 'bid-outcome': {
          const news = await handlers.bidOutcome(providerId, request.auctionId);
          return news.ok ? news.value : refusalOf(news);
        }
        case 'store-output':
          return store(providerId, request);
        case 'fetch-artifact':
          return fetch(providerId, request);
        case 'neighbourhood':
          return handlers.neighbourhood(providerId);
      }
    },
    artifacts: {
      mayCarry: (connection) => sessions.over(connection) !== null,
      budget: createByteBudget(UPLOAD_BUDGET_BYTES),
    },
    onError,
  });
};
