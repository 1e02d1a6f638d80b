import type { Pool, PoolClient } from 'pg';
import { type Rejection, reject } from '../domain/errors.ts';
import { liveBuilds } from './builds.ts';

/** Notified after the commit with `<projection> <position>`. */
export const CHECKPOINT_CHANNEL = 'fog_checkpoint';

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
  let listener: Promise<PoolClient | null> | null = null;
  let closed = false;

  const learn = (projection: string, position: bigint): void => {
    if (position <= (known.get(projection) ?? -1n)) return;
    known.set(projection, position);
    for (const check of waiters) check();
  };

  const listen = async (): Promise<PoolClient | null> => {
    try {
      const client = await pool.connect();
      client.on('notification', ({ payload = '' }) => {
        const [projection, position] = payload.split(' ');
        if (projection && position) learn(projection, BigInt(position));
      });
      client.on('error', () => {
        client.release(true);
        listener = null;
      });
      await client.query(`listen ${CHECKPOINT_CHANNEL}`);
      return client;
    } catch {
      // Polling answers meanwhile; the next waiter tries again.
      listener = null;
      return null;
    }
  };

  const poll = async (): Promise<void> => {
    for (const build of await liveBuilds(pool)) learn(build.projection, build.position);
  };

  return {
    waitFor: async (position, projections, timeoutMs) => {
      const reached = (): boolean => projections.every((name) => (known.get(name) ?? -1n) >= position);
      if (reached()) return { ok: true };
      if (!listener && !closed) listener = listen();
      const arrival = Promise.withResolvers<void>();
      const check = (): void => {
        if (reached()) arrival.resolve();
      };
      waiters.add(check);
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
      const client = await listener;
      listener = null;
      client?.release(true);
    },
  };
};
