import type { Pool } from 'pg';
import type { NodeRequest } from '../../domain/mesh/messages.ts';
import type { NodeGateway, NodeReplyOf, Unreachable } from '../../domain/ports/node-gateway.ts';
import { type AskOptions, askNodeOver } from './ask-node.ts';
import type { HeartbeatTable } from './heartbeats.ts';
import type { AnswerRelay, AskThrough } from './relay.ts';
import { connectedNodes, routesTo } from './routes.ts';
import type { Sessions } from './sessions.ts';
import type { LiveWorker } from './workers.ts';

export interface NodeGatewayDeps {
  readonly pool: Pool;
  readonly sessions: Sessions;
  /** Whether this process may still act as this worker. */
  readonly held: () => boolean;
  /** Of this worker. */
  readonly peerId: string;
  readonly heartbeats: Pick<HeartbeatTable, 'hearableMs'>;
  readonly askThrough: AskThrough;
  readonly onError: (error: unknown) => void;
}

/** Reaches nodes over this worker's own connections, else through the worker that holds one. */
export const createNodeGateway = (deps: NodeGatewayDeps): NodeGateway & { readonly relayed: AnswerRelay } => {
  const { pool, sessions, held, peerId, heartbeats, askThrough, onError } = deps;

  const failed =
    (message: string) =>
    (error: unknown): Unreachable => {
      onError(error);
      return { type: 'unreachable', message, cause: 'engine' };
    };

  /** No connection: the node's doing only if somebody was there to take it. */
  const away = async (providerId: string, message: string): Promise<Unreachable> => {
    const cause = (await heartbeats.hearableMs(providerId)) > 0 ? 'node' : 'engine';
    return { type: 'unreachable', message, cause };
  };

  /** Over this worker's own connection; null while there is none. */
  const askHere = async <R extends NodeRequest>(
    providerId: string,
    request: R,
    options: AskOptions,
  ): Promise<NodeReplyOf<R> | Unreachable | null> => {
    const session = held() ? sessions.of(providerId) : null;
    if (!session) return null;
    const reply = await askNodeOver(session.connection)(request, options);
    if (reply.type !== 'unreachable' || reply.cause === 'node' || options.signal?.aborted) return reply;
    return away(providerId, reply.message).catch(failed(reply.message));
  };

  const askElsewhere = async <R extends NodeRequest>(
    workers: readonly LiveWorker[],
    providerId: string,
    request: R,
    { timeoutMs, signal }: AskOptions,
  ): Promise<NodeReplyOf<R> | Unreachable> => {
    const until = performance.now() + timeoutMs;
    for (const worker of workers) {
      const left = until - performance.now();
      if (left <= 0 || signal?.aborted) break;
      const options = { timeoutMs: left, ...(signal && { signal }) };
      const answer = await askThrough(worker, providerId, request, options);
      if (answer?.type === 'relayed') return answer.reply;
      if (answer?.cause === 'node') return answer;
    }
    const message = 'no worker with a connection to the node answered';
    return { type: 'unreachable', message, cause: 'engine' };
  };

  return {
    async request(providerId, request, options) {
      const here = await askHere(providerId, request, options);
      if (here) return here;
      try {
        const workers = (await routesTo(pool, providerId)).filter((worker) => worker.peerId !== peerId);
        if (workers.length > 0) return await askElsewhere(workers, providerId, request, options);
        return await away(providerId, 'the node is not connected');
      } catch (error) {
        return failed('the routes to the node could not be read')(error);
      }
    },

    connected: () => connectedNodes(pool),

    relayed: async <R extends NodeRequest>(providerId: string, request: R, options: AskOptions) => {
      const reply = await askHere(providerId, request, options);
      if (!reply)
        return { type: 'unreachable', message: 'the node has just left this worker', cause: 'engine' };
      return reply.type === 'unreachable' ? reply : { type: 'relayed', reply };
    },
  };
};
