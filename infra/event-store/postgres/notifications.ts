import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { connectionLike } from '../../postgres/pool.ts';

/** The log announces itself (migration 0011): the newest position, with every commit. */
const CHANNEL = 'log_appended';

const RECONNECT_MS = { first: 50, most: 2_000 };
/** How often the server is asked whether it is still there: who only listens learns of no end that nobody sent. */
const PING_MS = 5_000;

export type OnFault = (message: string, error: unknown) => void;

/** What was said before the listening began, or while it was interrupted, is told by the log itself. */
const HEAD = { name: 'log-newest', text: 'select position::text from log.head' };

/**
 * Asks the server how far the log goes, at once and then again and again; resolves with the error of the first question
 * that is not answered in time.
 */
const untilDead = async (
  client: pg.Client,
  onPosition: (position: bigint) => void,
  everyMs: number,
  signal: AbortSignal,
): Promise<unknown> => {
  const ping = { ...HEAD, query_timeout: everyMs };
  try {
    for (;;) {
      const { rows } = await client.query<{ position: string }>(ping);
      onPosition(BigInt(rows[0]?.position ?? 0));
      await sleep(everyMs, undefined, { signal });
    }
  } catch (error) {
    return error;
  }
};

/**
 * Calls `onPosition` for every notification until `signal` aborts, on a connection of its own that it restores, and with
 * how far the log goes whenever it has begun to listen.
 */
export const listen = async (
  pool: pg.Pool,
  onPosition: (position: bigint) => void,
  onFault: OnFault,
  signal: AbortSignal,
  { pingMs = PING_MS }: { readonly pingMs?: number } = {},
): Promise<void> => {
  let backoff = RECONNECT_MS.first;
  while (!signal.aborted) {
    const client = connectionLike(pool);
    const { promise: lost, resolve: lose } = Promise.withResolvers<unknown>();
    const session = new AbortController();
    client.on('error', lose);
    client.on('end', () => lose(new Error('the connection ended')));
    client.on('notification', ({ payload }) => onPosition(BigInt(payload ?? 0)));
    signal.addEventListener('abort', lose);
    const error = await client
      .connect()
      .then(() => client.query(`listen ${CHANNEL}`))
      .then(
        () => {
          backoff = RECONNECT_MS.first;
          return Promise.race([lost, untilDead(client, onPosition, pingMs, session.signal)]);
        },
        (failure: unknown) => failure,
      );
    session.abort();
    signal.removeEventListener('abort', lose);
    if (!signal.aborted) onFault('listening was interrupted; subscribers poll', error);
    await client.end().catch((error: unknown) => onFault('a connection could not be closed', error));
    await sleep(backoff, undefined, { signal }).catch(() => undefined);
    backoff = Math.min(backoff * 2, RECONNECT_MS.most);
  }
};
