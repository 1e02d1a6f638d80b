import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RecordedEvent } from '../../domain/event.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { Ownership } from '../log-access/ownership.ts';
import { type Announcement, announcementOf } from './frames.ts';

export interface Listener {
  deliver(announcement: Announcement): void;
}

export interface Hub {
  /** Position of the newest event that every listener was told of. */
  position(): bigint;
  attach(listener: Listener): void;
  detach(listener: Listener): void;
  /** Events after `after`, one page, ready to be sent; none when nobody wants them any more once their turn has come. */
  replay(after: bigint, isWanted: () => boolean): Promise<readonly Announcement[]>;
  /** Follows the log until `signal` aborts; a lost database is waited for. */
  run(signal: AbortSignal): Promise<void>;
}

const REPLAY_PAGE = 100;
const RETRY_MS = 500;
/** Pages that are read for replays at a time. */
const REPLAYS = 4;

/** Pages that are read one after the other. */
interface Lane {
  last: Promise<unknown>;
}

/**
 * One subscription to the log for all sockets of this process. Any process tells the same story with the same
 * positions, so a client may resume on another (R33).
 */
export const createHub = ({
  store,
  ownership,
  logger,
  from,
}: {
  store: Pick<EventStore, 'readAll' | 'subscribe'>;
  ownership: Ownership;
  /** Where to begin: the head of the log at the start. */
  from: bigint;
  logger: Logger;
}): Hub => {
  const listeners = new Set<Listener>();
  const lanes = Array.from({ length: REPLAYS }, (): Lane => ({ last: Promise.resolve() }));
  let next = 0;
  let position = from;

  const announce = async (events: readonly RecordedEvent[]): Promise<readonly Announcement[]> => {
    const announcements: Announcement[] = [];
    for (const event of events) {
      announcements.push(announcementOf(event, await ownership.ownersOfEvent(event)));
    }
    return announcements;
  };

  const tell = (announcement: Announcement): void => {
    for (const listener of listeners) listener.deliver(announcement);
    position = announcement.event.position;
  };

  return {
    position: () => position,
    attach: (listener) => void listeners.add(listener),
    detach: (listener) => void listeners.delete(listener),
    replay: (after, isWanted) => {
      const lane = lanes[next++ % lanes.length] as Lane;
      const page = lane.last.then(async () =>
        isWanted() ? announce(await store.readAll({ after, limit: REPLAY_PAGE })) : [],
      );
      lane.last = page.catch(() => undefined);
      return page;
    },
    run: async (signal) => {
      while (!signal.aborted) {
        try {
          for await (const batch of store.subscribe(position, signal)) {
            for (const announcement of await announce(batch)) tell(announcement);
          }
        } catch (error) {
          if (signal.aborted) return;
          logger.warn({ err: error }, 'the log cannot be followed; trying again');
          await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
        }
      }
    },
  };
};
