import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** The log announces itself (migration 0011): the newest position, with every commit. */
const CHANNEL = 'log_appended';

const RECONNECT_MS = { first: 50, most: 2_000 };

export type OnFault = (message: string, error: unknown) => void;

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
