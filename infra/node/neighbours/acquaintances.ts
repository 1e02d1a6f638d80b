import type { Connection } from '@libp2p/interface';
import type { VerifiedDraw } from '../../../domain/topology/accept-peer.ts';

interface Acquaintance {
  readonly connections: Set<Connection>;
  draws: readonly VerifiedDraw[];
  /** Newest epoch that both knew when they last met. */
  metIn: number;
}

/** The nodes that this one has verified and is connected to, by node id. */
export interface Acquaintances {
  /** Notes that `nodeId` was accepted over `connection`, and forgets it when its last connection ends. */
  add(nodeId: string, connection: Connection, draws: readonly VerifiedDraw[], metIn: number): void;
  /** Ends what `fits` no longer accepts; the nodes that had to go. */
  keepOnly(fits: (nodeId: string, draws: readonly VerifiedDraw[]) => boolean): readonly string[];
  /** The newest epoch that both knew when they last met, or null. */
  metIn(nodeId: string): number | null;
  has(connection: Connection): boolean;
  /** An open connection to an accepted node, or null. */
  connectionTo(nodeId: string): Connection | null;
  /** Ids of the accepted nodes, sorted. */
  ids(): readonly string[];
}

/** `onLost` hears of a node whose last connection ended without this node's doing. */
export const createAcquaintances = (onLost: (nodeId: string) => void): Acquaintances => {
  const known = new Map<string, Acquaintance>();

  const forget = (nodeId: string, connection: Connection): void => {
    const acquaintance = known.get(nodeId);
    if (!acquaintance?.connections.delete(connection) || acquaintance.connections.size > 0) return;
    known.delete(nodeId);
    onLost(nodeId);
  };

  return {
    add(nodeId, connection, draws, metIn) {
      if (connection.status !== 'open') return;
      const acquaintance = known.get(nodeId) ?? { connections: new Set(), draws, metIn };
      acquaintance.draws = draws;
      acquaintance.metIn = metIn;
      known.set(nodeId, acquaintance);
      if (acquaintance.connections.has(connection)) return;
      acquaintance.connections.add(connection);
      connection.addEventListener('close', () => forget(nodeId, connection), { once: true });
    },

    keepOnly(fits) {
      const gone: string[] = [];
      for (const [nodeId, { connections, draws }] of known) {
        if (fits(nodeId, draws)) continue;
        known.delete(nodeId);
        gone.push(nodeId);
        for (const connection of connections) connection.abort(new Error('no longer a neighbour'));
      }
      return gone;
    },

    metIn: (nodeId) => known.get(nodeId)?.metIn ?? null,
    has: (connection) => [...known.values()].some(({ connections }) => connections.has(connection)),
    connectionTo(nodeId) {
      const open = [...(known.get(nodeId)?.connections ?? [])];
      return open.find(({ status }) => status === 'open') ?? null;
    },
    ids: () => [...known.keys()].sort(),
  };
};
