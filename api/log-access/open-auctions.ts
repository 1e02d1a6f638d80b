import type { EventStore } from '../../domain/ports/event-store.ts';

const OPENED = 'auction.opened';
/** Whatever follows the bids: from the first of these on, they are no secret any more. */
const ENDED = ['auction.closed', 'auction.failed', 'auction.awarded', 'auction.lapsed'];
const PAGE = 1000;

export interface OpenAuctions {
  /** Auctions that take bids by the log as it stands when this is called, with the positions of their openings. */
  list(): Promise<ReadonlyMap<string, bigint>>;
}

/** Follows the log to know which auctions are open; each call reads only what is new since the last. */
export const createOpenAuctions = (store: Pick<EventStore, 'readAll' | 'head'>): OpenAuctions => {
  const open = new Map<string, bigint>();
  let cursor = 0n;
  let last: Promise<unknown> = Promise.resolve();

  const follow = async (): Promise<ReadonlyMap<string, bigint>> => {
    const head = await store.head();
    for (;;) {
      const events = await store.readAll({ after: cursor, limit: PAGE, types: [OPENED, ...ENDED] });
      for (const event of events) {
        if (event.type === OPENED) open.set(event.stream, event.position);
        else open.delete(event.stream);
        cursor = event.position;
      }
      if (events.length < PAGE) break;
    }
    if (head.position > cursor) cursor = head.position;
    return new Map(open);
  };

  return {
    list: () => {
      // One at a time: two walks over the same stretch would move one cursor. A failed one stops nobody.
      const mine = last.then(follow, follow);
      last = mine.catch(() => undefined);
      return mine;
    },
  };
};
