import type { Pool, PoolClient } from 'pg';
import { type Rejection, reject } from '../domain/errors.ts';
import { type Build, liveBuilds, SupersededError } from './builds.ts';
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

/**
 * Moves the checkpoints of several builds at once and tells waiters, in the transaction of their rows: what is told is told
 * at its commit.
 * @throws SupersededError when one of them is not where, or not what, the caller left it.
 */
export const moveCheckpoints = async (
  session: Session,
  builds: readonly Build[],
  to: bigint,
): Promise<void> => {
  const names = builds.map(({ projection }) => projection);
  const { rows } = await session.query<{ moved: number }>({
    name: 'fog-move-checkpoints',
    text: `
      with moved as (
        update fog.builds b set position = $5, updated_at = now()
          from unnest($1::text[], $2::int[], $3::bigint[], $4::int[]) as m(projection, build, position, parkings)
         where (b.projection, b.build, b.position, b.parkings) = (m.projection, m.build, m.position, m.parkings)
        returning 1
      )
      select count(*)::int as moved, pg_notify('${CHECKPOINT_CHANNEL}', $6) from moved`,
    values: [
      names,
      builds.map(({ build }) => build),
      builds.map(({ position }) => position),
      builds.map(({ parkings }) => parkings),
      to,
      [to, ...names].join(' '),
    ],
  });
  if (rows[0]?.moved !== builds.length)
    throw new SupersededError(
      `one of ${builds.length} builds is no longer as it was at ${builds[0]?.position}`,
    );
};

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
  /** Whether they are known to show it: false where nobody has waited yet. */
  shows(position: bigint, projections: readonly string[]): boolean;
  close(): Promise<void>;
}

export interface CheckpointsOptions {
  /** Holds one connection of it, for the notifications. */
  readonly pool: Pool;
  /** How often they look by themselves while somebody waits, should a notification be lost. */
  readonly pollMs?: number;
}

/** Read-your-writes for any number of waiters over one listening connection. */
export const createCheckpoints = ({ pool, pollMs = 250 }: CheckpointsOptions): Checkpoints => {
  /** Newest position known per projection: a lower bound of the truth. */
  const known = new Map<string, bigint>();
  const waiters = new Set<() => void>();
  let listener: PoolClient | null = null;
  /** Whether every checkpoint is known, and the next ones are told. */
  let isListening = false;
  let connecting: Promise<void> | null = null;
  let polling: NodeJS.Timeout | null = null;
  let closed = false;

  const learn = (projection: string, position: bigint): void => {
    if (position <= (known.get(projection) ?? -1n)) return;
    known.set(projection, position);
    for (const check of waiters) check();
  };

  const poll = async (session: Session): Promise<void> => {
    for (const build of await liveBuilds(session)) learn(build.projection, build.position);
  };

  /** A database that is away answers no poll; the time limit then tells those who wait. */
  const look = (): void => {
    poll(pool).catch(() => undefined);
  };

  const drop = (client: PoolClient): void => {
    if (listener !== client) return;
    listener = null;
    isListening = false;
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
    await poll(client);
    isListening = listener === client;
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

  const enter = (check: () => void): void => {
    waiters.add(check);
    polling ??= setInterval(look, pollMs);
    if (!isListening) look();
  };

  const leave = (check: () => void): void => {
    waiters.delete(check);
    if (waiters.size > 0 || polling === null) return;
    clearInterval(polling);
    polling = null;
  };

  const shows: Checkpoints['shows'] = (position, projections) =>
    projections.every((name) => (known.get(name) ?? -1n) >= position);

  return {
    shows,
    waitFor: async (position, projections, timeoutMs) => {
      const reached = (): boolean => shows(position, projections);
      if (reached()) return { ok: true };
      ensureListening();
      const arrival = Promise.withResolvers<void>();
      const check = (): void => {
        if (reached()) arrival.resolve();
      };
      enter(check);
      const limit = setTimeout(() => arrival.resolve(), timeoutMs);
      try {
        await arrival.promise;
      } finally {
        leave(check);
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
