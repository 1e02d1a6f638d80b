import { awardFaults } from '../../domain/auction/check-award.ts';
import type { AuctionEvent, AuctionOpened, BidsOpened } from '../../domain/auction/events.ts';
import { aggregateOf } from '../../domain/event.ts';
import type { ChainEntry } from '../event-store/chain.ts';
import { dataOf } from './log.ts';
import type { Problem } from './report.ts';

interface Seen {
  readonly opened: AuctionOpened;
  readonly opening: BidsOpened | null;
}

/** Awards every auction again from what the log holds of it. */
export const createAwardCheck = () => {
  const running = new Map<string, Seen>();
  const problems: Problem[] = [];
  const unseen: string[] = [];

  const judge = (stream: string, event: AuctionEvent): void => {
    const seen = running.get(stream);
    if (event.type === 'auction.opened') running.set(stream, { opened: event, opening: null });
    else if (event.type === 'auction.bids-opened' && seen) running.set(stream, { ...seen, opening: event });
    else if (event.type === 'auction.failed') running.delete(stream);
    else if (event.type === 'auction.awarded') {
      running.delete(stream);
      if (!seen) unseen.push(stream);
      if (!seen?.opening) return;
      for (const difference of awardFaults({ opened: seen.opened, opening: seen.opening, awarded: event }))
        problems.push({ check: 'replay', subject: stream, difference });
    }
  };

  return {
    take(entry: ChainEntry): void {
      if (aggregateOf(entry.stream) !== 'auction') return;
      const data = dataOf<object>(entry);
      if (!data) return;
      try {
        judge(entry.stream, { ...data, type: entry.type } as AuctionEvent);
      } catch (error) {
        // Whatever a log that somebody wrote into holds: what cannot be awarded again has not passed.
        const difference = error instanceof Error ? error.message : String(error);
        problems.push({ check: 'replay', subject: entry.stream, difference });
      }
    },
    problems: (): readonly Problem[] => problems,
    /** Auctions that were awarded and whose beginning was not taken in. */
    unseen: (): readonly string[] => unseen,
  };
};
