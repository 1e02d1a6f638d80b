import type { AuctionAnnouncement, NodeRequest } from '../../domain/mesh/messages.ts';
import { epochMs } from '../../domain/time.ts';
import { askNodeOver } from './ask-node.ts';
import type { Session, Sessions } from './sessions.ts';

const TIMEOUT_MS = 5000;

export interface Announcer {
  /** Tells every joined node at once; a slow node delays only its own copy. Resolves with how many have noted it. */
  announce(auction: AuctionAnnouncement): Promise<number>;
  /**
   * Tells one node, which has just joined, about every open auction: `auctions`, which come from a read model, and what
   * was announced and that does not show yet.
   */
  catchUp(session: Session, auctions: readonly AuctionAnnouncement[]): Promise<void>;
  /** Tells one node again what it has not confirmed. Called when it shows signs of life. */
  retry(session: Session): Promise<void>;
  /** Tells every node that the auction is over, so that losers free their capacity. Who does not hear it asks. */
  ended(auctionId: string, winners: ReadonlySet<string>, takenBy?: string): Promise<void>;
}

const tell = async (session: Session, request: NodeRequest): Promise<boolean> =>
  (await askNodeOver(session.connection)(request, { timeoutMs: TIMEOUT_MS })).type === 'noted';

/** Auction news for nodes. `now` gives RFC 3339 instants. */
export const createAnnouncer = (sessions: Sessions, now: () => string): Announcer => {
  const deliver = async (session: Session, auction: AuctionAnnouncement): Promise<boolean> => {
    const noted = await tell(session, { type: 'auction-opened', auction });
    // An extension may have replaced it meanwhile.
    if (noted && session.pending.get(auction.auctionId) === auction)
      session.pending.delete(auction.auctionId);
    return noted;
  };

  const offer = (session: Session, auction: AuctionAnnouncement): Promise<boolean> => {
    session.pending.set(auction.auctionId, auction);
    return deliver(session, auction);
  };

  /** What was announced and is not over, by auction. */
  const announced = new Map<string, AuctionAnnouncement>();
  const forgetClosed = (): void => {
    const at = epochMs(now());
    for (const { auctionId, closesAt } of announced.values())
      if (epochMs(closesAt) <= at) announced.delete(auctionId);
  };

  return {
    async announce(auction) {
      forgetClosed();
      announced.set(auction.auctionId, auction);
      const noted = await Promise.all(sessions.all().map((session) => offer(session, auction)));
      return noted.filter(Boolean).length;
    },

    async catchUp(session, auctions) {
      forgetClosed();
      const open = new Map(announced);
      for (const auction of auctions) open.set(auction.auctionId, auction);
      await Promise.all([...open.values()].map((auction) => offer(session, auction)));
    },

    async retry(session) {
      const at = epochMs(now());
      for (const auction of session.pending.values()) {
        if (epochMs(auction.closesAt) <= at) session.pending.delete(auction.auctionId);
      }
      await Promise.all([...session.pending.values()].map((auction) => deliver(session, auction)));
    },

    async ended(auctionId, winners, takenBy) {
      announced.delete(auctionId);
      await Promise.all(
        sessions.all().map((session) => {
          session.pending.delete(auctionId);
          const won = winners.has(session.providerId);
          const until = won && takenBy !== undefined ? { takenBy } : {};
          return tell(session, { type: 'auction-ended', auctionId, won, ...until });
        }),
      );
    },
  };
};
