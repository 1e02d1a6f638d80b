import type { Connection } from '@libp2p/interface';
import type { AuctionAnnouncement } from '../../domain/mesh/messages.ts';

/** A node that has joined over one connection. */
export interface Session {
  readonly providerId: string;
  readonly connection: Connection;
  /** Auctions the node has not confirmed yet, by id. */
  readonly pending: Map<string, AuctionAnnouncement>;
}

/** The joined nodes of this process. A node that joins again over a new connection replaces its older session. */
export interface Sessions {
  open(providerId: string, connection: Connection): Session;
  /** Forgets the session of a closed connection; false when a newer one has already taken its place. */
  close(session: Session): boolean;
  of(providerId: string): Session | null;
  over(connection: Connection): Session | null;
  all(): readonly Session[];
}

export const createSessions = (): Sessions => {
  const byProvider = new Map<string, Session>();
  const byConnection = new Map<string, Session>();
  return {
    open(providerId, connection) {
      const session: Session = { providerId, connection, pending: new Map() };
      byProvider.set(providerId, session);
      byConnection.set(connection.id, session);
      return session;
    },
    close(session) {
      if (byConnection.get(session.connection.id) === session) byConnection.delete(session.connection.id);
      if (byProvider.get(session.providerId) !== session) return false;
      return byProvider.delete(session.providerId);
    },
    of: (providerId) => byProvider.get(providerId) ?? null,
    over: (connection) => byConnection.get(connection.id) ?? null,
    all: () => [...byProvider.values()],
  };
};
