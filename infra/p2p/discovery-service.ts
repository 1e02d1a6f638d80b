import type { Connection } from '@libp2p/interface';
import { reject, rejectField } from '../../domain/errors.ts';
import { type EngineReplies, type MeshRefusal, PROTOCOLS } from '../../domain/mesh/messages.ts';
import { discoveryRequestSchema } from '../../domain/mesh/schema.ts';
import { HEARTBEAT_SECONDS } from '../../domain/tiers.ts';
import { msBetween } from '../../domain/time.ts';
import { addressPrefix } from './address-prefix.ts';
import type { Announcer } from './announcer.ts';
import { askNodeOver } from './ask-node.ts';
import type { EngineHandlers, JoinRequest } from './engine-handlers.ts';
import type { HeartbeatTable } from './heartbeats.ts';
import { type Peer, remotePublicKey } from './peer.ts';
import type { NodeRoutes } from './routes.ts';
import { NOT_HELD, refusalOf, servePeer } from './rpc.ts';
import type { Session, Sessions } from './sessions.ts';

export interface DiscoveryDeps {
  readonly peer: Peer;
  /** Whether this process may still act as this worker. */
  readonly held: () => boolean;
  readonly sessions: Sessions;
  readonly heartbeats: HeartbeatTable;
  readonly routes: NodeRoutes;
  readonly announcer: Announcer;
  readonly handlers: EngineHandlers;
  readonly now: () => string;
  readonly onError: (error: unknown) => void;
}

const MAX_CLOCK_SKEW_MS = 60_000;

/** Resource-discovery at the engine: nodes join by the key that Noise has proved, then beat. */
export const serveDiscovery = (deps: DiscoveryDeps): Promise<void> => {
  const { sessions, heartbeats, routes, announcer, handlers, now, onError } = deps;

  const open = async (
    providerId: string,
    connection: Connection,
    { addresses = [], capacity }: Pick<JoinRequest, 'addresses' | 'capacity'>,
  ): Promise<Session> => {
    const peerId = connection.remotePeer.toString();
    const session = sessions.open(providerId, connection);
    const left = (): void => {
      if (sessions.close(session)) routes.disconnected(providerId, peerId).catch(onError);
    };
    connection.addEventListener('close', left, { once: true });
    await Promise.all([
      routes.connected(providerId, peerId, addresses, now()),
      heartbeats.record(providerId, now()).then(() => heartbeats.tellCapacity(providerId, capacity ?? null)),
    ]);
    // The connection may have gone while the rows were written.
    if (connection.status !== 'open') left();
    return session;
  };

  const join = async (
    request: JoinRequest,
    connection: Connection,
  ): Promise<EngineReplies['join'] | MeshRefusal> => {
    const publicKey = remotePublicKey(connection);
    if (!publicKey) {
      return refusalOf(reject('AUTHENTICATION_FAILED', 'a node is known by an Ed25519 key'));
    }
    if (Math.abs(msBetween(request.at, now())) > MAX_CLOCK_SKEW_MS) {
      const rule = "at most 60 s away from the engine's clock";
      return refusalOf(rejectField('at', rule));
    }
    const { addresses = [] } = request;
    const ownPeer = `/p2p/${connection.remotePeer.toString()}`;
    if (!addresses.every((address) => address.startsWith('/') && address.endsWith(ownPeer))) {
      const rule = "multiaddrs that end in /p2p/<the node's own peer id>";
      return refusalOf(rejectField('addresses', rule));
    }
    const joined = await handlers.join(
      publicKey,
      request,
      askNodeOver(connection),
      addressPrefix(connection.remoteAddr),
    );
    if (!joined.ok) return refusalOf(joined);
    const session = await open(joined.value, connection, request);
    handlers
      .openAuctions()
      .then((auctions) => announcer.catchUp(session, auctions))
      .catch(onError);
    return { type: 'joined', providerId: joined.value, heartbeatSeconds: HEARTBEAT_SECONDS };
  };

  const beat = async (
    connection: Connection,
    neighbours: readonly string[] | undefined,
  ): Promise<EngineReplies['heartbeat'] | MeshRefusal> => {
    const session = sessions.over(connection);
    if (!session) return refusalOf(reject('AUTHENTICATION_FAILED', 'join first'));
    await heartbeats.record(session.providerId, now(), neighbours);
    announcer.retry(session).catch(onError);
    return { type: 'seen' };
  };

  return servePeer(deps.peer, PROTOCOLS.resourceDiscovery, {
    request: discoveryRequestSchema,
    answer: async (request, connection) => {
      if (!deps.held()) return refusalOf(NOT_HELD);
      return request.type === 'join' ? join(request, connection) : beat(connection, request.neighbours);
    },
    onError,
  });
};
