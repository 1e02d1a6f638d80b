import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import {
  type EngineReplies,
  type EngineRequest,
  type MeshRefusal,
  MOST_NEIGHBOURS,
  PROTOCOLS,
} from '../../domain/mesh/messages.ts';
import { engineReplySchemas } from '../../domain/mesh/schema.ts';
import { ARTIFACT_FRAME_BYTES } from '../p2p/frames.ts';
import type { Peer } from '../p2p/peer.ts';
import { type CallOptions, type CallOutcome, callPeer } from '../p2p/rpc.ts';
import { backoffMs } from './backoff.ts';
import type { NodeLogger } from './logger.ts';

export type JoinTerms = Omit<Extract<EngineRequest, { type: 'join' }>, 'type' | 'at'>;

export interface EngineLinkDeps {
  readonly peer: Peer;
  /** Multiaddr that ends in the engine's peer id: another key at this address is not the engine. */
  readonly address: string;
  /** As they are at each join. */
  readonly terms: () => JoinTerms;
  /** RFC 3339 instant. */
  readonly now: () => string;
  readonly onJoined: (providerId: string) => void;
  /** Node ids of the neighbours connected now, told with every beat. */
  readonly neighbours: () => readonly string[];
  readonly log: NodeLogger;
}

export interface EngineLink {
  /** The connection over which this node has joined; null while there is none. */
  joined(): Connection | null;
  stop(): Promise<void>;
}

/** The engine attests the node within the join. */
const JOIN_TIMEOUT_MS = 60_000;
const DIAL_TIMEOUT_MS = 10_000;
/** Beats in a row without an answer after which the connection counts as dead. */
const MAX_SILENT_BEATS = 2;

type CallLimits = Pick<CallOptions, 'timeoutMs' | 'signal'>;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const callEngine = <T extends EngineRequest['type']>(
  connection: Connection,
  protocol: string,
  request: Extract<EngineRequest, { type: T }>,
  limits: CallLimits,
): Promise<CallOutcome<EngineReplies[T] | MeshRefusal>> =>
  callPeer(connection, protocol, request, engineReplySchemas[request.type], {
    ...limits,
    maxReplyBytes: ARTIFACT_FRAME_BYTES,
  });

/** What nodes ask over agent-communication. */
export type WorkRequest = Exclude<EngineRequest['type'], 'join' | 'heartbeat'>;

/** A request of agent-communication to the engine at the other end. */
export const askEngine = <T extends WorkRequest>(
  connection: Connection,
  request: Extract<EngineRequest, { type: T }>,
  limits: CallLimits,
): Promise<CallOutcome<EngineReplies[T] | MeshRefusal>> =>
  callEngine(connection, PROTOCOLS.agentCommunication, request, limits);

/** Keeps one engine address dialled, joined and supplied with heartbeats until it is stopped. */
export const keepEngineLink = (deps: EngineLinkDeps): EngineLink => {
  const { peer, address, terms, now, onJoined, neighbours, log } = deps;
  const stopping = new AbortController();
  let current: Connection | null = null;
  let sequence = 0;

  const join = async (connection: Connection): Promise<EngineReplies['join']> => {
    const request = { type: 'join', at: now(), ...terms() } as const;
    const limits = { timeoutMs: JOIN_TIMEOUT_MS, signal: stopping.signal };
    const outcome = await callEngine<'join'>(connection, PROTOCOLS.resourceDiscovery, request, limits);
    if (!outcome.ok) throw new Error(`no answer to the join (${outcome.failure})`);
    if (outcome.reply.type === 'refused')
      throw new Error(`the join was refused: ${outcome.reply.code} ${outcome.reply.message}`);
    return outcome.reply;
  };

  const beat = async (
    connection: Connection,
    timeoutMs: number,
  ): Promise<'alive' | 'forgotten' | 'silent'> => {
    const request = {
      type: 'heartbeat',
      sequence: sequence++,
      at: now(),
      neighbours: neighbours().slice(0, MOST_NEIGHBOURS),
    } as const;
    const outcome = await callEngine<'heartbeat'>(connection, PROTOCOLS.resourceDiscovery, request, {
      timeoutMs,
    });
    if (!outcome.ok) return 'silent';
    // Other refusals pass, such as a database that restarts: the connection and what runs over it are worth keeping.
    const { reply } = outcome;
    return reply.type === 'refused' && reply.code === 'AUTHENTICATION_FAILED' ? 'forgotten' : 'alive';
  };

  /** Beats until the connection ends, the engine no longer knows the node, or it stops answering. */
  const beatUntilLost = async (connection: Connection, everyMs: number): Promise<string> => {
    const ended = Promise.withResolvers<string>();
    const onClose = (): void => ended.resolve('the connection ended');
    connection.addEventListener('close', onClose, { once: true });
    if (connection.status !== 'open') onClose();
    let silent = 0;
    const timer = setInterval(() => {
      void beat(connection, everyMs).then((answer) => {
        silent = answer === 'silent' ? silent + 1 : 0;
        if (answer === 'forgotten') ended.resolve('the engine forgot this node');
        if (silent >= MAX_SILENT_BEATS) ended.resolve('the engine does not answer');
      });
    }, everyMs);
    const reason = await ended.promise;
    clearInterval(timer);
    return reason;
  };

  const session = async (onReady: () => void): Promise<string> => {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]);
    const connection = await peer.libp2p.dial(multiaddr(address), { signal });
    try {
      const { providerId, heartbeatSeconds } = await join(connection);
      current = connection;
      onReady();
      onJoined(providerId);
      log.info({ providerId, engine: address }, 'node ready: joined the engine');
      return await beatUntilLost(connection, heartbeatSeconds * 1000);
    } finally {
      current = null;
      connection.abort(new Error('the session ended'));
    }
  };

  const keep = async (): Promise<void> => {
    let attempt = 0;
    while (!stopping.signal.aborted) {
      const reason = await session(() => {
        attempt = 0;
      }).catch(reasonOf);
      if (stopping.signal.aborted) return;
      const waitMs = backoffMs(attempt++);
      log.warn({ engine: address, reason, waitMs }, 'not joined, trying again');
      await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };

  const kept = keep();
  return {
    joined: () => current,
    async stop() {
      stopping.abort();
      await current?.close();
      await kept;
    },
  };
};
