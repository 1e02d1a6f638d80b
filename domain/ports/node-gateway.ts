import type { MeshRefusal, NodeReplies, NodeRequest } from '../mesh/messages.ts';

export type NodeReplyOf<R extends NodeRequest> = NodeReplies[R['type']] | MeshRefusal;

/** The engine's side of the mesh: typed requests to a node by provider id. */
export interface NodeGateway {
  /**
   * Sends `request` and waits for the reply. A refusal is a value; a node that is not connected, does not answer in
   * `timeoutMs` or drops the stream is `{ type: 'unreachable' }`: the caller decides whether that is a loss.
   */
  request<R extends NodeRequest>(
    providerId: string,
    request: R,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<NodeReplyOf<R> | { readonly type: 'unreachable'; readonly message: string }>;
  /** Provider ids with an open connection to this process. */
  connected(): readonly string[];
}

/** Heartbeats as rows: when each provider was last seen, whichever worker saw it. */
export interface Heartbeats {
  /** `neighbours`: whom the node says it is connected to; left as it was where it says nothing. */
  record(providerId: string, at: string, neighbours?: readonly string[]): Promise<void>;
  /** Instant of the newest beat, or null. */
  lastSeen(providerId: string): Promise<string | null>;
}
