import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const CHANNEL = 'log_appended';

/** The least time between two notifications of a process: a busy appender need not announce every batch. */
const QUIET_MS = 5;

const RECONNECT_MS = { first: 50, most: 2_000 };

export type OnFault = (message: string, error: unknown) => void;

/** Tells other processes how far the log goes. */
export interface Notifier {
  notify(position: bigint): void;
  /** Waits for the notification in flight. */
  close(): Promise<void>;
}

/**
 * One notification at a time, for the newest position only, in a transaction of its own: inside an append it would
 * serialise all commits of the database.
 */
export const createNotifier = (pool: pg.Pool, onFault: OnFault): Notifier => {
  let pending: bigint | null = null;
  let sending: Promise<void> | null = null;

  const send = async (): Promise<void> => {
    while (pending !== null) {
      const position = pending;
      pending = null;
      try {
        await pool.query({
          name: 'log-notify',
          text: 'select pg_notify($1, $2)',
          values: [CHANNEL, `${position}`],
        });
      } catch (error) {
        onFault('a notification was lost; subscribers poll', error);
      }
      await sleep(QUIET_MS);
    }
    sending = null;
  };

  return {
    notify: (position) => {
      pending = position;
      sending ??= send();
    },
    close: async () => {
      await sending;
    },
  };
};

/** Calls `onPosition` for every notification until `signal` aborts, on a connection of its own that it restores. */
export const listen = async (
  pool: pg.Pool,
  onPosition: (position: bigint) => void,
  onFault: OnFault,
  signal: AbortSignal,
): Promise<void> => {
  let backoff = RECONNECT_MS.first;
  while (!signal.aborted) {
    const client = new pg.Client(pool.options);
    const { promise: lost, resolve: lose } = Promise.withResolvers<unknown>();
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
          return lost;
        },
        (failure: unknown) => failure,
      );
    signal.removeEventListener('abort', lose);
    if (!signal.aborted) onFault('listening was interrupted; subscribers poll', error);
    await client.end().catch((error: unknown) => onFault('a connection could not be closed', error));
    await sleep(backoff, undefined, { signal }).catch(() => undefined);
    backoff = Math.min(backoff * 2, RECONNECT_MS.most);
  }
};
