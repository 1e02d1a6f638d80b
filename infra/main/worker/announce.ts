import type { Logger } from 'pino';
import type { Auction } from '../../../domain/auction/auction.ts';
import type { AuctionEvent } from '../../../domain/auction/events.ts';
import { aggregateOf, domainEventOf, type RecordedEvent } from '../../../domain/event.ts';
import type { Job } from '../../../domain/job/job.ts';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import { foldsOf } from '../../event-store/folds.ts';
import type { EngineMesh } from '../../p2p/engine-mesh.ts';
import { announcementOf } from './announcement.ts';

export interface AnnounceDeps {
  readonly store: EventStore;
  readonly mesh: Pick<EngineMesh, 'announce' | 'auctionEnded'>;
  readonly log: Pick<Logger, 'warn'>;
  /** Position of the log from before the first node could join. */
  readonly after: bigint;
  readonly signal: AbortSignal;
}

/**
 * Tells the nodes what the log says of auctions: opened, extended, over, and when nobody wants what was reserved in them. It starts where the
 * log ended before the first node could join: each is told of older ones when it joins.
 */
export const announceAuctions = async ({ store, mesh, log, after, signal }: AnnounceDeps): Promise<void> => {
  const tell = async (stream: string, event: AuctionEvent): Promise<void> => {
    switch (event.type) {
      case 'auction.opened':
      case 'auction.extended': {
        const auction = await foldsOf(store).stream(stream);
        if (auction) await mesh.announce(announcementOf(auction.context as Auction));
        return;
      }
      case 'auction.awarded':
        return mesh.auctionEnded(
          stream,
          event.winners.map((winner) => winner.providerId),
          event.allocateBy ?? undefined,
        );
      case 'auction.failed':
      case 'auction.lapsed':
        return mesh.auctionEnded(stream, []);
    }
  };

  /** A job that is over wants nothing any more of what was reserved for it. */
  const release = async (stream: string): Promise<void> => {
    const folded = await foldsOf(store).stream(stream);
    if (folded) await mesh.auctionEnded((folded.context as Job).auctionId, []);
  };

  const news = (event: RecordedEvent): Promise<void> | null => {
    const { stream } = event;
    switch (aggregateOf(stream)) {
      case 'auction':
        return tell(stream, domainEventOf<AuctionEvent>(event));
      case 'job':
        return event.type === 'job.settled' || event.type === 'job.failed' ? release(stream) : null;
      default:
        return null;
    }
  };

  let position = after;
  while (!signal.aborted) {
    try {
      for await (const events of store.subscribe(position, signal)) {
        for (const event of events) {
          position = event.position;
          // A slow node must not hold up the next auction.
          void news(event)?.catch((error: unknown) =>
            log.warn({ err: error, stream: event.stream }, 'an auction could not be announced'),
          );
        }
      }
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'the log could not be followed; trying again');
    }
  }
};
