import type { MeshRefusal, NodeReplies, NodeRequest } from '../mesh/messages.ts';

export type NodeReplyOf<R extends NodeRequest> = NodeReplies[R['type']] | MeshRefusal;

/** No answer came. */
export interface Unreachable {
  readonly type: 'unreachable';
  readonly message: string;
  /**
   * `node`: a worker that was awake all along held its connection, or would have taken it. `engine`: nobody who could
   * have been dialled was there, or a process of the engine failed on the way: no fault of the node follows from it.
   */
  readonly cause: 'node' | 'engine';
}

/** The engine's side of the mesh: typed requests to a node by provider id, whichever worker holds its connection. */
export interface NodeGateway {
  /**
   * Sends `request` and waits for the reply. A refusal is a value; a node that is not connected, does not answer in
   * `timeoutMs` or drops the stream is unreachable: the caller decides whether that is a loss.
   */
  request<R extends NodeRequest>(
    providerId: string,
    request: R,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<NodeReplyOf<R> | Unreachable>;
  /** Provider ids with an open connection to any worker that lives. */
  connected(): Promise<readonly string[]>;
}

/** Heartbeats as rows: when each provider was last seen, whichever worker saw it. */
export interface Heartbeats {
  /** `neighbours`: whom the node says it is connected to; left as it was where it says nothing. */
  record(providerId: string, at: string, neighbours?: readonly string[]): Promise<void>;
  /** Instant of the newest beat, or null. */
  lastSeen(providerId: string): Promise<string | null>;
  /**
   * For how long a beat of the provider would have been heard by now, ms: by a worker that it knows and that has been awake
   * all that time, after enough of it for the node to find its way back. Nothing while there is no such worker. Silence of
   * before is nobody's fault.
   */
  hearableMs(providerId: string): Promise<number>;
}
