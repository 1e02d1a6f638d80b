import type { Logger } from 'pino';
import type { Auction } from '../../../domain/auction/auction.ts';
import type { AuctionEvent } from '../../../domain/auction/events.ts';
import { aggregateOf, domainEventOf } from '../../../domain/event.ts';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import { foldStream } from '../../../domain/registry.ts';
import type { EngineMesh } from '../../p2p/engine-mesh.ts';
import { announcementOf } from './announcement.ts';

export interface AnnounceDeps {
  readonly store: EventStore;
  readonly mesh: EngineMesh;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Tells the nodes what the log says of auctions: opened, extended, over. It starts at the end of the log: a node that
 * joins is told the open ones anyway.
 */
export const announceAuctions = async ({ store, mesh, log, signal }: AnnounceDeps): Promise<void> => {
  const tell = async (stream: string, event: AuctionEvent): Promise<void> => {
    switch (event.type) {
      case 'auction.opened':
      case 'auction.extended': {
        const auction = foldStream(stream, await store.readStream(stream)).context as Auction;
        await mesh.announce(announcementOf(auction));
        return;
      }
      case 'auction.awarded':
        return mesh.auctionEnded(
          stream,
          event.winners.map((winner) => winner.providerId),
        );
      case 'auction.failed':
        return mesh.auctionEnded(stream, []);
    }
  };

  let after = (await store.head()).position;
  while (!signal.aborted) {
    try {
      for await (const events of store.subscribe(after, signal)) {
        for (const event of events) {
          after = event.position;
          if (aggregateOf(event.stream) !== 'auction') continue;
          // A slow node must not hold up the next auction.
          void tell(event.stream, domainEventOf<AuctionEvent>(event)).catch((error: unknown) =>
            log.warn({ err: error, stream: event.stream }, 'an auction could not be announced'),
          );
        }
      }
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'the log could not be followed; trying again');
    }
  }
};
