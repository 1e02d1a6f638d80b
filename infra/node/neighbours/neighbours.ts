import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { type Rejection, reject } from '../../../domain/errors.ts';
import {
  type MeshRefusal,
  type NeighbourContact,
  type NeighbourhoodReply,
  type PeerReplies,
  type PeerRequest,
  PROTOCOLS,
} from '../../../domain/mesh/messages.ts';
import { peerRequestSchema } from '../../../domain/mesh/schema.ts';
import { commitmentOf } from '../../../domain/topology/commitment.ts';
import { closeConnection } from '../../p2p/close-connection.ts';
import { type Peer, remotePublicKey } from '../../p2p/peer.ts';
import { refusalOf, servePeer } from '../../p2p/rpc.ts';
import { backoffMs } from '../backoff.ts';
import type { Engines } from '../engines.ts';
import type { NodeLogger } from '../logger.ts';
import { createAcquaintances } from './acquaintances.ts';
import { createIntroductions, NEIGHBOUR_FRAME_BYTES, type Standing } from './introductions.ts';
import { mayBeNeighbours, verifiedDraws } from './judge-draws.ts';
import { turnAwayStrangers } from './strangers.ts';

export type OpenChunks = Extract<PeerRequest, { type: 'open-chunks' }>;

export interface NeighbourDeps {
  readonly peer: Peer;
  readonly engines: Pick<Engines, 'ask'>;
  readonly enginePeerIds: ReadonlySet<string>;
  /** The id under which the engine knows this node; null before the first join. */
  readonly nodeId: () => string | null;
  /** Opens chunks for the node with the key `observer` (hex). */
  readonly openChunks: (
    request: OpenChunks,
    observer: string,
  ) => Promise<PeerReplies['open-chunks'] | Rejection>;
  readonly nowMs: () => number;
  readonly log: NodeLogger;
}

export interface Neighbours {
  /** Looks now instead of later: the node has joined, or a new epoch has begun. */
  nudge(): void;
  /** Node ids of the neighbours that are connected and verified. */
  connected(): readonly string[];
  /** An open connection to a neighbour, or null. */
  connectionTo(nodeId: string): Connection | null;
  stop(): Promise<void>;
}

const ASK_MS = 5_000;
const DIAL_TIMEOUT_MS = 5_000;
/** How long a connection may be open before the other end shows its draws. */
const GRACE_MS = 10_000;
/** From one look to the next when all is well, for news of an epoch come by themselves; at most so when it is not. */
const LONGEST_PAUSE_MS = 60_000;
/** Between two looks, whatever happens: a neighbour that comes and goes keeps nobody busy. */
const SHORTEST_PAUSE_MS = 500;

/**
 * Keeps a node connected to those it has drawn, and lets in those who have drawn it. The engine says which epochs are in
 * force and where nodes are; who may be connected is verified at both ends from the draws alone.
 */
export const keepNeighbours = async (deps: NeighbourDeps): Promise<Neighbours> => {
  const { peer, engines, enginePeerIds, nodeId, openChunks, nowMs, log } = deps;
  const stopping = new AbortController();
  const { signal } = stopping;
  let told: Omit<Standing, 'nodeId'> = { epochs: [], own: [], selections: [] };
  let resting = new AbortController();
  let attempt = 0;

  const nudge = (): void => {
    attempt = 0;
    resting.abort();
  };
  const standing = (): Standing => ({ nodeId: nodeId(), ...told });
  const acquaintances = createAcquaintances(nudge);
  const introductions = createIntroductions({ standing, acquaintances, log });

  /** Takes over what the engine says, own draws verified like anybody's, and parts with whom they no longer allow. */
  const update = (self: string, { epochs }: NeighbourhoodReply): void => {
    const selections = epochs.flatMap(({ selection }) => selection ?? []);
    const commitments = epochs.map(commitmentOf);
    const own = verifiedDraws(self, selections, commitments);
    if (!own.ok) throw new Error(`the engine gives this node a draw that does not hold: ${own.message}`);
    told = { epochs: commitments, own: own.value, selections };
    const gone = acquaintances.keepOnly((other, draws) => mayBeNeighbours(self, other, draws, told));
    if (gone.length > 0) log.info({ gone }, 'left the neighbours of an earlier epoch');
  };

  /** Dials unless connected, and introduces itself once in every epoch. Whether the two have met in this one. */
  const meet = async (self: string, { nodeId: other, addresses }: NeighbourContact): Promise<boolean> => {
    const epoch = told.epochs[0]?.epoch ?? 0;
    if (acquaintances.metIn(other) === epoch) return true;
    // Two that have drawn each other would both dial: the one with the smaller id goes first.
    if (attempt === 0 && self > other) return false;
    const limits = AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]);
    const met = await peer.libp2p
      .dial(
        addresses.map((address) => multiaddr(address)),
        { signal: limits },
      )
      .then(async (connection) => {
        const outcome = await introductions.introduce(other, connection, signal);
        if (!outcome.ok && !acquaintances.has(connection)) connection.abort(new Error(outcome.message));
        return outcome;
      })
      .catch((error: unknown) => reject('RESOURCE_UNAVAILABLE', String(error)));
    if (!met.ok) {
      log.info({ neighbour: other, epoch, code: met.code, reason: met.message }, 'neighbour not connected');
      return false;
    }
    const isMet = acquaintances.metIn(other) === epoch;
    if (isMet) log.info({ neighbour: other, epoch }, 'connected to a neighbour');
    return isMet;
  };

  /** One look: whether everybody drawn is connected. */
  const look = async (): Promise<boolean> => {
    const self = nodeId();
    if (self === null) return false;
    const reply = await engines.ask<'neighbourhood'>({ type: 'neighbourhood' }, nowMs() + ASK_MS);
    if ('ok' in reply) return false;
    update(self, reply);
    const drawn = new Set(told.own.flatMap(({ neighbours }) => neighbours));
    const met = await Promise.all(reply.contacts.map((contact) => meet(self, contact)));
    return drawn.size > 0 && met.length === drawn.size && met.every(Boolean);
  };

  const pause = (ms: number, until: AbortSignal): Promise<void> =>
    sleep(ms, undefined, { signal: until }).catch(() => undefined);

  const keep = async (): Promise<void> => {
    while (!signal.aborted) {
      resting = new AbortController();
      const settled = await look().catch((error: unknown) => {
        log.error({ err: error }, 'the neighbours could not be looked after');
        return false;
      });
      if (settled) attempt = 0;
      const waitMs = settled ? LONGEST_PAUSE_MS : backoffMs(attempt++, LONGEST_PAUSE_MS);
      await pause(waitMs, AbortSignal.any([signal, resting.signal]));
      await pause(SHORTEST_PAUSE_MS, signal);
    }
  };

  const answer = async (
    request: PeerRequest,
    connection: Connection,
  ): Promise<PeerReplies[keyof PeerReplies] | MeshRefusal> => {
    if (request.type === 'introduce') return introductions.answer(request, connection);
    const key = remotePublicKey(connection);
    if (key === null || !acquaintances.has(connection))
      return refusalOf(reject('AUTHENTICATION_FAILED', 'introduce yourself first'));
    const opened = await openChunks(request, key);
    return 'ok' in opened ? refusalOf(opened) : opened;
  };

  await servePeer(peer, PROTOCOLS.neighbourhood, {
    request: peerRequestSchema,
    answer,
    replied: (connection) => {
      if (!acquaintances.has(connection)) void closeConnection(connection);
    },
    maxRequestBytes: NEIGHBOUR_FRAME_BYTES,
    onError: (error) => log.error({ err: error }, 'a neighbour could not be answered'),
  });
  const stopWatch = turnAwayStrangers({
    peer,
    exempt: enginePeerIds,
    isKnown: acquaintances.has,
    graceMs: GRACE_MS,
  });
  const kept = keep();

  return {
    nudge,
    connected: acquaintances.ids,
    connectionTo: acquaintances.connectionTo,
    async stop() {
      stopping.abort();
      stopWatch();
      await kept;
    },
  };
};
