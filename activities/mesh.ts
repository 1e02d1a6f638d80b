import type { NodeRequest } from '../domain/mesh/messages.ts';
import type { NodeGateway, NodeReplyOf, Unreachable } from '../domain/ports/node-gateway.ts';

export interface NodeQuestion {
  readonly providerId: string;
  readonly request: NodeRequest;
  readonly timeoutMs: number;
}

export type NodeAnswer = NodeReplyOf<NodeRequest> | Unreachable;

/** The mesh for processes that have none of their own: a worker asks the node for them, whichever holds its connection. */
export const createMeshActivities = ({ gateway }: { readonly gateway: Pick<NodeGateway, 'request'> }) => ({
  'mesh.ask': ({ providerId, request, timeoutMs }: NodeQuestion): Promise<NodeAnswer> =>
    gateway.request(providerId, request, { timeoutMs }),
});
