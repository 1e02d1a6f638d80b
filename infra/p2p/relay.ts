import { multiaddr } from '@multiformats/multiaddr';
import { reject } from '../../domain/errors.ts';
import {
  type MeshRefusal,
  type NodeRequest,
  PROTOCOLS,
  type RelayReply,
} from '../../domain/mesh/messages.ts';
import { relayReplySchema, relayRequestSchema } from '../../domain/mesh/schema.ts';
import type { AskOptions } from './ask-node.ts';
import { CONTROL_FRAME_BYTES } from './frames.ts';
import type { Peer } from './peer.ts';
import { callPeer, refusalOf, servePeer } from './rpc.ts';
import type { LiveWorker } from './workers.ts';

/** A node's largest reply, and what is around it. */
const RELAY_FRAME_BYTES = 2 * CONTROL_FRAME_BYTES;
const DIAL_MS = 2000;
/** The way to the other worker and back, on top of the node's own time. */
const MARGIN_MS = 1000;
const LOOK_MS = 1000;

export interface RelayDeps {
  readonly peer: Peer;
  /** The workers that live. */
  readonly live: () => readonly LiveWorker[];
}

/** Answers for a node that this worker holds a connection to. */
export type AnswerRelay = <R extends NodeRequest>(
  providerId: string,
  request: R,
  options: AskOptions,
) => Promise<RelayReply<R>>;

/**
 * Serves requests that other workers have for the nodes of this one. Who they are, Noise has proved and the table of
 * workers knows; nobody else is answered. Between workers rather than through a task queue: replies are too large for a
 * workflow's history, which would keep them besides, and a worker that dies is noticed by the end of its connection.
 */
export const serveRelay = (
  { peer, live }: RelayDeps,
  answer: AnswerRelay,
  onError: (error: unknown) => void,
) =>
  servePeer(peer, PROTOCOLS.relay, {
    request: relayRequestSchema,
    maxRequestBytes: RELAY_FRAME_BYTES,
    answer: async (
      { providerId, request, timeoutMs },
      connection,
      gone,
    ): Promise<RelayReply<NodeRequest> | MeshRefusal> => {
      const caller = connection.remotePeer.toString();
      if (!live().some(({ peerId }) => peerId === caller))
        return refusalOf(reject('AUTHORIZATION_FAILED', 'only workers of this engine ask here'));
      return answer(providerId, request, { timeoutMs, signal: gone });
    },
    onError,
  });

/** What another worker says of one of its nodes; null when that worker does not answer or is no longer known to live. */
export type AskThrough = <R extends NodeRequest>(
  worker: LiveWorker,
  providerId: string,
  request: R,
  options: AskOptions,
) => Promise<RelayReply<R> | null>;

export const createAskThrough =
  ({ peer, live }: RelayDeps): AskThrough =>
  async <R extends NodeRequest>(
    worker: LiveWorker,
    providerId: string,
    request: R,
    { timeoutMs, signal }: AskOptions,
  ) => {
    const gone = new AbortController();
    // A worker that stalls keeps its connections open: what tells is that it no longer says that it lives.
    const watch = setInterval(() => {
      if (!live().some(({ peerId }) => peerId === worker.peerId)) gone.abort();
    }, LOOK_MS);
    const stop = signal ? AbortSignal.any([signal, gone.signal]) : gone.signal;
    try {
      const dialling = AbortSignal.any([stop, AbortSignal.timeout(DIAL_MS)]);
      const connection = await peer.libp2p
        .dial(multiaddr(worker.address), { signal: dialling })
        .catch(() => null);
      if (!connection) return null;
      const outcome = await callPeer(
        connection,
        PROTOCOLS.relay,
        { type: 'relay', providerId, request, timeoutMs },
        relayReplySchema(request),
        { timeoutMs: timeoutMs + MARGIN_MS, signal: stop, maxReplyBytes: RELAY_FRAME_BYTES },
      );
      return outcome.ok && outcome.reply.type !== 'refused' ? outcome.reply : null;
    } finally {
      clearInterval(watch);
    }
  };
