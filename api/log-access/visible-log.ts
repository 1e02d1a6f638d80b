import { aggregateOf, type RecordedEvent } from '../../domain/event.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { Principal } from '../../infra/keys/credentials.ts';
import { hasRole, maySee } from '../roles.ts';
import type { OpenAuctions } from './open-auctions.ts';
import type { Ownership } from './ownership.ts';

export interface LogPage {
  readonly events: readonly RecordedEvent[];
  /** Where the next page starts: everything up to here was given or is none of the caller's. */
  readonly next: bigint;
}

export interface LogRequest {
  readonly principal: Principal;
  /** Exclusive. */
  readonly after: bigint;
  readonly limit: number;
  readonly stream?: string | undefined;
}

export interface VisibleLog {
  /** Null for a stream that does not exist or that the caller may not know of. */
  page(request: LogRequest): Promise<LogPage | null>;
}

/** Most events looked at for one page of own streams. */
const SCANNED = 5000;
const SCAN_PAGE = 1000;

/**
 * The log as a caller may read it: own streams, or everything for an auditor.
 *
 * While an auction takes bids nobody learns of them (settled 12). Positions have no gaps, so leaving events out would
 * tell their number: a reader's log ends behind the opening of the oldest open auction among what he reads, and goes
 * on in full when it has closed. Deposits stand in the ledger's stream, so that ends there as well.
 */
export const createVisibleLog = ({
  store,
  ownership,
  openAuctions,
}: {
  store: Pick<EventStore, 'readAll'>;
  ownership: Ownership;
  openAuctions: OpenAuctions;
}): VisibleLog => {
  /** Position of the oldest opening among the auctions that `matters` names, or null. */
  const sealedBehind = async (
    matters: (auction: string) => boolean | Promise<boolean>,
  ): Promise<bigint | null> => {
    let oldest: bigint | null = null;
    for (const [auction, opened] of await openAuctions.list()) {
      if ((oldest === null || opened < oldest) && (await matters(auction))) oldest = opened;
    }
    return oldest;
  };

  const cut = (events: readonly RecordedEvent[], end: bigint | null): readonly RecordedEvent[] =>
    end === null ? events : events.filter((event) => event.position <= end);

  const streamPage = async (
    stream: string,
    { principal, after, limit }: LogRequest,
  ): Promise<LogPage | null> => {
    const owners = await ownership.ownersOf(stream);
    if (!owners || !maySee(principal, owners, ['auditor'])) return null;
    // First the events, then what is open: an auction that opened in between is seen as open.
    const found = await store.readAll({ after, limit, stream });
    const ledger = aggregateOf(stream) === 'ledger';
    const events = cut(found, await sealedBehind((auction) => ledger || auction === stream));
    return { events, next: events.at(-1)?.position ?? after };
  };

  const wholePage = async ({ after, limit }: LogRequest): Promise<LogPage> => {
    const found = await store.readAll({ after, limit });
    const events = cut(found, await sealedBehind(() => true));
    return { events, next: events.at(-1)?.position ?? after };
  };

  const isOwn = async (stream: string, principal: Principal): Promise<boolean> =>
    (await ownership.ownersOf(stream))?.has(principal.id) ?? false;

  const ownPage = async ({ principal, after, limit }: LogRequest): Promise<LogPage> => {
    const own: RecordedEvent[] = [];
    let scanned = after;
    for (let seen = 0; seen < SCANNED && own.length < limit; ) {
      const found = await store.readAll({ after: scanned, limit: SCAN_PAGE });
      const end = await sealedBehind((auction) => isOwn(auction, principal));
      for (const event of found) {
        if (own.length === limit || (end !== null && event.position > end))
          return { events: own, next: scanned };
        if (await isOwn(event.stream, principal)) own.push(event);
        scanned = event.position;
      }
      seen += found.length;
      if (found.length < SCAN_PAGE) break;
    }
    return { events: own, next: scanned };
  };

  return {
    page: (request) => {
      if (request.stream !== undefined) return streamPage(request.stream, request);
      return hasRole(request.principal, 'auditor') ? wholePage(request) : ownPage(request);
    },
  };
};
