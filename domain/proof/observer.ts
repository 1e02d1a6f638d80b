/** Who looks at a provider: another provider's node, never the node that is looked at. */
export interface Observer {
  /** Provider id of the observer. */
  readonly id: string;
  /** Hex Ed25519 key of its node. */
  readonly key: string;
}

/** Observers whose word is enough: a strict majority, since one observer's link is not a provider's downtime. */
export const isQuorumOf = (quorum: number, observers: readonly Observer[]): boolean =>
  quorum * 2 > observers.length && quorum <= observers.length;
