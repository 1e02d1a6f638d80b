import type { NodeRequest } from '../domain/mesh/messages.ts';
import type { NodeGateway, NodeReplyOf } from '../domain/ports/node-gateway.ts';

export interface NodeQuestion {
  readonly providerId: string;
  readonly request: NodeRequest;
  readonly timeoutMs: number;
}

export type NodeAnswer =
  | NodeReplyOf<NodeRequest>
  | { readonly type: 'unreachable'; readonly message: string };

/** The mesh for processes that have none of their own: the worker asks the node for them. */
export const createMeshActivities = ({ gateway }: { readonly gateway: Pick<NodeGateway, 'request'> }) => ({
  'mesh.ask': ({ providerId, request, timeoutMs }: NodeQuestion): Promise<NodeAnswer> =>
    gateway.request(providerId, request, { timeoutMs }),
});

export type MeshActivities = ReturnType<typeof createMeshActivities>;
