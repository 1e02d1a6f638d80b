import type { Connection } from '@libp2p/interface';
import type { z } from 'zod';
import { type NodeReplies, type NodeRequest, PROTOCOLS } from '../../domain/mesh/messages.ts';
import { nodeReplySchemas } from '../../domain/mesh/schema.ts';
import type { NodeReplyOf, Unreachable } from '../../domain/ports/node-gateway.ts';
import { callPeer } from './rpc.ts';

export interface AskOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** `NodeGateway.request` bound to one node. */
export type AskNode = <R extends NodeRequest>(
  request: R,
  options: AskOptions,
) => Promise<NodeReplyOf<R> | Unreachable>;

/**
 * Requests to the node at the other end of `connection`. A reply outside the protocol counts as no reply. Silence on an
 * open connection is the node's own; whose doing its end was, this cannot tell, and says `engine`.
 */
export const askNodeOver =
  (connection: Connection): AskNode =>
  async <R extends NodeRequest>(request: R, options: AskOptions) => {
    // The table maps each request type to its replies; TypeScript cannot follow the index through R.
    const schema = nodeReplySchemas[request.type as keyof NodeReplies] as z.ZodType<NodeReplyOf<R>>;
    const outcome = await callPeer(connection, PROTOCOLS.agentCommunication, request, schema, options);
    if (outcome.ok) return outcome.reply;
    const { failure, message } = outcome;
    const cause = failure === 'timeout' || failure === 'malformed' ? 'node' : 'engine';
    return { type: 'unreachable', message: `${failure}: ${message}`, cause };
  };
