import type { Pool, PoolClient } from 'pg';
import { type Rejection, reject } from '../domain/errors.ts';
import { liveBuilds } from './builds.ts';
import type { Session } from './projection.ts';

/** Notified at the commit with `<position> <projection> …`. */
const CHECKPOINT_CHANNEL = 'fog_checkpoint';

/** Tells waiters how far the builds of these projections have come. */
export const announce = (
  session: Session,
  projections: readonly string[],
  position: bigint,
): Promise<unknown> =>
  session.query('select pg_notify($1, $2)', [CHECKPOINT_CHANNEL, [position, ...projections].join(' ')]);

export interface Checkpoints {
  /**
   * Waits until the live builds of `projections` show every event up to `position` (read your writes).
   * @returns `RESOURCE_UNAVAILABLE` when they do not in `timeoutMs`.
   */
  waitFor(
    position: bigint,
    projections: readonly string[],
    timeoutMs: number,
  ): Promise<{ ok: true } | Rejection>;
  close(): Promise<void>;
}

export interface CheckpointsOptions {
  /** Holds one connection of it, for the notifications. */
  readonly pool: Pool;
  /** How often a waiter looks by itself, should a notification be lost. */
  readonly pollMs?: number;
}

/** Read-your-writes for any number of waiters over one listening connection. */
export const createCheckpoints = ({ pool, pollMs = 250 }: CheckpointsOptions): Checkpoints => {
  /** Newest position known per projection: a lower bound of the truth. */
  const known = new Map<string, bigint>();
  const waiters = new Set<() => void>();
  let listener: PoolClient | null = null;
  let connecting: Promise<void> | null = null;
  let closed = false;

  const learn = (projection: string, position: bigint): void => {
    if (position <= (known.get(projection) ?? -1n)) return;
    known.set(projection, position);
    for (const check of waiters) check();
  };

  const drop = (client: PoolClient): void => {
    if (listener !== client) return;
    listener = null;
    client.release(true);
  };

  const listen = async (): Promise<void> => {
    const client = await pool.connect();
    listener = client;
    client.on('error', () => drop(client));
    client.on('notification', ({ payload = '' }) => {
      const [position = '0', ...projections] = payload.split(' ');
      for (const projection of projections) learn(projection, BigInt(position));
    });
    await client.query(`listen ${CHECKPOINT_CHANNEL}`);
    if (closed) drop(client);
  };

  /** Listening only shortens the wait: without it polling answers, and the next waiter tries again. */
  const ensureListening = (): void => {
    if (listener || connecting || closed) return;
    connecting = listen()
      .catch(() => {
        if (listener) drop(listener);
      })
      .finally(() => {
        connecting = null;
      });
  };

  const poll = async (): Promise<void> => {
    for (const build of await liveBuilds(pool)) learn(build.projection, build.position);
  };

  return {
    waitFor: async (position, projections, timeoutMs) => {
      const reached = (): boolean => projections.every((name) => (known.get(name) ?? -1n) >= position);
      if (reached()) return { ok: true };
      ensureListening();
      const arrival = Promise.withResolvers<void>();
      const check = (): void => {
        if (reached()) arrival.resolve();
      };
      waiters.add(check);
      // A database that is away answers no poll; the time limit then tells the caller.
      const look = (): void => {
        poll().catch(() => undefined);
      };
      const interval = setInterval(look, pollMs);
      const limit = setTimeout(() => arrival.resolve(), timeoutMs);
      look();
      try {
        await arrival.promise;
      } finally {
        waiters.delete(check);
        clearInterval(interval);
        clearTimeout(limit);
      }
      return reached()
        ? { ok: true }
        : reject('RESOURCE_UNAVAILABLE', `the read model has not reached position ${position} yet`);
    },
    close: async () => {
      closed = true;
      await connecting;
      if (listener) drop(listener);
    },
  };
};
