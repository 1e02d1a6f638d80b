import type { RecordedEvent } from '../../domain/event.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { Principal } from '../../infra/keys/credentials.ts';
import { hasRole, maySee } from '../roles.ts';
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

/** The log as a caller may read it: what concerns him, or everything for an auditor. */
export const createVisibleLog = ({
  store,
  ownership,
}: {
  store: Pick<EventStore, 'readAll'>;
  ownership: Ownership;
}): VisibleLog => {
  const isOwn = async (event: RecordedEvent, principal: Principal): Promise<boolean> =>
    (await ownership.ownersOfEvent(event)).has(principal.id);

  const wholePage = async ({ after, limit, stream }: LogRequest): Promise<LogPage> => {
    const events = await store.readAll({ after, limit, ...(stream === undefined ? {} : { stream }) });
    return { events, next: events.at(-1)?.position ?? after };
  };

  const streamPage = async (stream: string, request: LogRequest): Promise<LogPage | null> => {
    const owners = await ownership.ownersOf(stream);
    if (!owners || !maySee(request.principal, owners, ['auditor'])) return null;
    const page = await wholePage(request);
    if (hasRole(request.principal, 'auditor')) return page;
    const own: RecordedEvent[] = [];
    for (const event of page.events) if (await isOwn(event, request.principal)) own.push(event);
    return { events: own, next: page.next };
  };

  const ownPage = async ({ principal, after, limit }: LogRequest): Promise<LogPage> => {
    const own: RecordedEvent[] = [];
    let scanned = after;
    for (let seen = 0; seen < SCANNED && own.length < limit; ) {
      const found = await store.readAll({ after: scanned, limit: SCAN_PAGE });
      for (const event of found) {
        if (own.length === limit) return { events: own, next: scanned };
        if (await isOwn(event, principal)) own.push(event);
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
