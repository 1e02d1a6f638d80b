import type { Connection } from '@libp2p/interface';
import type { Peer } from '../../p2p/peer.ts';

export interface StrangerDeps {
  readonly peer: Peer;
  /** Peers that are no neighbours and may stay: the node's engines. */
  readonly exempt: ReadonlySet<string>;
  readonly isKnown: (connection: Connection) => boolean;
  readonly graceMs: number;
}

/** Ends every connection over which nobody was introduced in time. @returns what stops the watch. */
export const turnAwayStrangers = ({ peer, exempt, isKnown, graceMs }: StrangerDeps): (() => void) => {
  const timers = new Set<NodeJS.Timeout>();
  const onOpen = ({ detail: connection }: { readonly detail: Connection }): void => {
    if (exempt.has(connection.remotePeer.toString())) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!isKnown(connection)) connection.abort(new Error('nobody was introduced'));
    }, graceMs);
    timers.add(timer);
  };
  peer.libp2p.addEventListener('connection:open', onOpen);
  return () => {
    peer.libp2p.removeEventListener('connection:open', onOpen);
    for (const timer of timers) clearTimeout(timer);
  };
};
