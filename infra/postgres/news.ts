import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** What a channel of notifications says, and how far it can be relied on to have said everything. */
export interface News {
  /** `hear` is called for every notification, and whenever some may have been missed. */
  onNews(hear: () => void): void;
  /**
   * Everything that was committed before this moment of the monotonic clock (milliseconds) was heard. It stands still
   * while the connection is lost, or silent, or this process is stopped, and falls behind while nobody asks for it.
   */
  asOf(): number;
  close(): Promise<void>;
}

export interface NewsOptions {
  /** Whose settings the connection of its own is made with. */
  readonly pool: pg.Pool;
  readonly channel: string;
  readonly onFault: (message: string, error: unknown) => void;
  readonly monotonic?: () => number;
}

/** Between two questions that prove the connection alive, while somebody wants to know, and while nobody does. */
const ASK_MS = { wanted: 250, idle: 5_000 };
/** Who wanted to know lately will again. */
const WANTED_MS = 2_000;
/** A connection that does not answer for so long is replaced. */
const ANSWER_MS = 3_000;
const RECONNECT_MS = { first: 50, most: 1_000 };

/**
 * Listens on `channel`, on a connection that it restores. Notifications and answers come in order on one connection, so
 * an answer proves that all news from before its question was heard.
 */
export const followNews = ({
  pool,
  channel,
  onFault,
  monotonic = () => performance.now(),
}: NewsOptions): News => {
  const hearers: (() => void)[] = [];
  const stopping = new AbortController();
  const { signal } = stopping;
  let asOf = Number.NEGATIVE_INFINITY;
  let wantedAt = Number.NEGATIVE_INFINITY;
  let wanted = Promise.withResolvers<void>();

  const tell = (): void => {
    for (const hear of hearers) hear();
  };

  const isWanted = (): boolean => monotonic() - wantedAt < WANTED_MS;

  /** Until the next question is due. */
  const rest = async (end: AbortSignal): Promise<void> => {
    const late = new AbortController();
    wanted = Promise.withResolvers();
    const sleepMs = isWanted() ? ASK_MS.wanted : ASK_MS.idle;
    const slept = sleep(sleepMs, undefined, { signal: AbortSignal.any([end, late.signal]) });
    await Promise.race([slept, ...(isWanted() ? [] : [wanted.promise])]).catch(() => undefined);
    late.abort();
    await slept.catch(() => undefined);
  };

  /** Listens until the connection is lost (throws) or `signal` aborts. */
  const listen = async (client: pg.Client, onListening: () => void): Promise<void> => {
    const lost = new AbortController();
    const end = AbortSignal.any([signal, lost.signal]);
    client.on('error', (error) => lost.abort(error));
    client.on('end', () => lost.abort(new Error('the connection ended')));
    client.on('notification', tell);
    await client.connect();
    await client.query(`listen ${client.escapeIdentifier(channel)}`);
    // What was said before is not told any more.
    tell();
    onListening();
    while (!signal.aborted) {
      lost.signal.throwIfAborted();
      const asked = monotonic();
      await client.query({ name: 'ask', text: 'select 1' });
      asOf = asked;
      await rest(end);
    }
  };

  const follow = async (): Promise<void> => {
    let backoff = RECONNECT_MS.first;
    while (!signal.aborted) {
      const client = new pg.Client({
        ...pool.options,
        connectionTimeoutMillis: ANSWER_MS,
        query_timeout: ANSWER_MS,
      });
      await listen(client, () => {
        backoff = RECONNECT_MS.first;
      }).catch((error: unknown) => {
        if (!signal.aborted) onFault(`the channel ${channel} was interrupted`, error);
      });
      await client.end().catch((error: unknown) => onFault('a connection could not be closed', error));
      await sleep(backoff, undefined, { signal }).catch(() => undefined);
      backoff = Math.min(backoff * 2, RECONNECT_MS.most);
    }
  };

  const following = follow();
  return {
    onNews: (hear) => void hearers.push(hear),
    asOf: () => {
      wantedAt = monotonic();
      wanted.resolve();
      return asOf;
    },
    close: async () => {
      stopping.abort();
      await following;
    },
  };
};
