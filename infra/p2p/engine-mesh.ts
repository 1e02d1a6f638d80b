import type { Pool } from 'pg';
import { type AuctionAnnouncement, PROTOCOLS } from '../../domain/mesh/messages.ts';
import type { Heartbeats, NodeGateway } from '../../domain/ports/node-gateway.ts';
import { isTransient } from '../postgres/transient.ts';
import { createAnnouncer } from './announcer.ts';
import { serveDiscovery } from './discovery-service.ts';
import type { EngineHandlers } from './engine-handlers.ts';
import { createFailureDetector, type FailureDetector, GAP_MS } from './failure-detector.ts';
import { createHeartbeats, type HeartbeatTable } from './heartbeats.ts';
import { createNodeGateway } from './node-gateway.ts';
import type { Peer } from './peer.ts';
import { createPresenceMonitor } from './presence-monitor.ts';
import { createAskThrough, serveRelay } from './relay.ts';
import { createNodeRoutes } from './routes.ts';
import { createSessions } from './sessions.ts';
import { serveWork } from './work-service.ts';
import type { WorkerLease } from './worker-lease.ts';

export interface EngineMeshDeps {
  /** A listening peer; the mesh serves on it and leaves stopping it to its owner. */
  readonly peer: Peer;
  /** The right to serve as this peer, which is entered already. */
  readonly lease: Pick<WorkerLease, 'instance' | 'held' | 'live' | 'leads'>;
  readonly pool: Pool;
  readonly handlers: EngineHandlers;
  /** RFC 3339 instant. */
  readonly now: () => string;
  /** Monotonic ms: what silence is measured by. */
  readonly monotonicMs?: () => number;
  /** Failures that no caller is waiting for. */
  readonly onError: (error: unknown) => void;
}

export interface EngineMesh extends NodeGateway, Heartbeats {
  /** Whom this worker has heard, in the time it could hear anybody. */
  readonly detector: FailureDetector;
  /**
   * Tells all nodes joined here of an auction, and again after an extension. Resolves with how many noted it. Every worker
   * tells its own: a node hears it once from each that it has joined, and bids once.
   */
  announce(auction: AuctionAnnouncement): Promise<number>;
  /**
   * Tells all nodes joined here that an auction is over; `winners` are provider ids, and `takenBy` is until when a job
   * may take their award. Told again without winners once nobody wants what they reserved.
   */
  auctionEnded(auctionId: string, winners: readonly string[], takenBy?: string): Promise<void>;
  /** Judges silence now instead of at the next second. */
  checkPresence(): Promise<void>;
  /** Serves no more and forgets the nodes; their connections end with the peer. */
  stop(): Promise<void>;
}

/**
 * A beat that the database did not take, or not in time, was heard all the same: no silence until then counts. One that
 * fails for what it says is its node's affair, or a node could keep the detector from ever counting.
 */
const recording =
  (
    record: HeartbeatTable['record'],
    detector: FailureDetector,
    monotonicMs: () => number,
  ): HeartbeatTable['record'] =>
  async (...beat) => {
    const begun = monotonicMs();
    try {
      await record(...beat);
      if (monotonicMs() - begun > GAP_MS) detector.interrupted();
    } catch (error) {
      if (isTransient(error)) detector.interrupted();
      throw error;
    }
  };

/**
 * A worker's side of the mesh: takes joins, heartbeats, bids and artefacts, and reaches nodes by provider id, those of
 * the other workers through these.
 */
export const createEngineMesh = async (deps: EngineMeshDeps): Promise<EngineMesh> => {
  const { peer, lease, pool, handlers, now, monotonicMs = () => performance.now(), onError } = deps;
  const sessions = createSessions();
  const table = createHeartbeats(pool);
  const detector = createFailureDetector({ beats: table.beats, monotonicMs, onError });
  const heartbeats: HeartbeatTable = { ...table, record: recording(table.record, detector, monotonicMs) };
  const routes = createNodeRoutes(pool, peer.peerId, lease);
  const announcer = createAnnouncer(sessions, now);
  const relay = { peer, live: lease.live };
  const gateway = createNodeGateway({
    pool,
    sessions,
    held: lease.held,
    peerId: peer.peerId,
    heartbeats,
    askThrough: createAskThrough(relay),
    onError,
  });
  const monitor = createPresenceMonitor({
    detector,
    heartbeats,
    leads: lease.leads,
    providerSeen: (...seen) => handlers.providerSeen(...seen),
    onError,
  });

  const { held } = lease;
  await serveWork({ peer, held, sessions, handlers, onError });
  await serveDiscovery({ peer, held, sessions, heartbeats, routes, announcer, handlers, now, onError });
  await serveRelay(relay, gateway.relayed, onError);
  monitor.start();

  return {
    request: gateway.request,
    detector,
    connected: gateway.connected,
    record: heartbeats.record,
    lastSeen: heartbeats.lastSeen,
    hearableMs: heartbeats.hearableMs,
    announce: announcer.announce,
    auctionEnded: (auctionId, winners, takenBy) => announcer.ended(auctionId, new Set(winners), takenBy),
    checkPresence: monitor.tick,
    async stop() {
      const { resourceDiscovery, agentCommunication, relay: ofWorkers } = PROTOCOLS;
      await peer.libp2p.unhandle([resourceDiscovery, agentCommunication, ofWorkers]);
      await monitor.stop();
      for (const session of sessions.all()) sessions.close(session);
    },
  };
};
