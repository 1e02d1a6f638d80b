import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { LEASE_MS, type LiveWorker, liveWorkers } from './workers.ts';

/** Who a worker is on the mesh. */
export interface WorkerPeer {
  readonly peerId: string;
  /** Multiaddr that ends in the peer id. */
  readonly address: string;
}

/** The right to serve as one of the workers. One process has it, whatever else is started. */
export interface WorkerLease {
  readonly index: number;
  /** Of this life of the worker: routes carry it, so that those of an earlier life do not count. */
  readonly instance: string;
  /** Enters the peer as which this process serves; it counts as alive from now on, until `release` or its death. */
  serve(peer: WorkerPeer): Promise<void>;
  /** Whether nobody else can be this worker yet: false from when it could not be renewed in time until it is again. */
  held(): boolean;
  /** Workers that lived a second ago, this one among them. */
  live(): readonly LiveWorker[];
  /** Whether this is the first of the live workers: what one of them is enough for is its part. May be wrong for seconds. */
  leads(): boolean;
  /** Aborts when another process serves as this worker: this one must end. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export interface WorkerLeaseDeps {
  /** Gives up one connection for as long as the lease is held. */
  readonly pool: Pool;
  readonly index: number;
  /** Ends the wait for another process that holds the lease. */
  readonly signal: AbortSignal;
  /** Called once when the lease is another's, before the wait. */
  readonly onWaiting: () => void;
  /** The session was lost; it is opened again. */
  readonly onError: (error: unknown) => void;
}

const RENEW_MS = 1000;
/** A server that does not answer a renewal for this long counts as away. */
const ANSWER_MS = 3000;
const WAIT_MS = 250;

/** The server is to notice within 15 s that the machine of a worker is gone; a killed process ends its session itself. */
const SESSION = `
  set tcp_keepalives_idle = 5;
  set tcp_keepalives_interval = 5;
  set tcp_keepalives_count = 2`;

const bounded = async <T>(work: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('PostgreSQL does not answer')), ANSWER_MS);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

/** A session with the lock of worker `index`; null while another session has it. The lock goes with the session. */
const lockedSession = async (pool: Pool, index: number): Promise<PoolClient | null> => {
  const session = await pool.connect();
  try {
    await bounded(session.query(SESSION));
    const { rows } = await bounded(
      session.query<{ locked: boolean }>(
        `select pg_try_advisory_lock(hashtext('engine.workers'), $1) as locked`,
        [index],
      ),
    );
    if (rows[0]?.locked) return session;
  } catch (error) {
    session.release(true);
    throw error;
  }
  session.release(true);
  return null;
};

const end = async (session: PoolClient): Promise<void> => {
  // The server notices the end of a session late, and others wait for its lock. A lost session has none left.
  await bounded(session.query('select pg_advisory_unlock_all()')).catch(() => undefined);
  session.release(true);
};

/** Whether another life of worker `index` has been renewed so lately that it may still hold its lease. */
const mayBeHeld = async (session: PoolClient, index: number): Promise<boolean> => {
  const { rowCount } = await bounded(
    session.query('select from engine.workers where index = $1 and alive_until > clock_timestamp()', [index]),
  );
  return rowCount === 1;
};

/** The locked session of who may be worker `index` now; null when `signal` aborts before. */
const acquire = async ({ pool, index, signal, onWaiting }: WorkerLeaseDeps): Promise<PoolClient | null> => {
  let session = await lockedSession(pool, index);
  if (!session) onWaiting();
  try {
    while (!session || (await mayBeHeld(session, index))) {
      await sleep(WAIT_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) break;
      session ??= await lockedSession(pool, index);
    }
  } catch (error) {
    session?.release(true);
    throw error;
  }
  if (!signal.aborted) return session;
  if (session) await end(session);
  return null;
};

/**
 * Waits for the right to be worker `index`; null when `signal` aborts first. It is a lock of a PostgreSQL session: a
 * process that stalls keeps it; one that dies, or that PostgreSQL cannot reach, loses it. Who lost it without knowing (the
 * server was restarted) holds the lease until the time of its last renewal has run out, so the next one waits that long:
 * two processes never hold it at once.
 */
export const leaseWorker = async (deps: WorkerLeaseDeps): Promise<WorkerLease | null> => {
  const { pool, index, onError } = deps;
  const instance = randomUUID();
  const lost = new AbortController();
  const stopping = new AbortController();
  let holding = await acquire(deps);
  if (!holding) return null;
  let live: readonly LiveWorker[] = [];
  let renewedAt = Number.NEGATIVE_INFINITY;
  let keeping: Promise<void> = Promise.resolve();

  const isAnothers = async (): Promise<boolean> => {
    const { rows } = await bounded(
      pool.query<{ instance: string }>('select instance from engine.workers where index = $1', [index]),
    );
    return rows[0]?.instance !== instance;
  };

  /** Says that this worker lives, and looks who else does; false when the row is another's. */
  const renew = async (on: PoolClient): Promise<boolean> => {
    const askedAt = performance.now();
    const { rowCount } = await bounded(
      on.query({
        name: 'worker-renewal',
        text: `update engine.workers set
           awake_since = case when alive_until < clock_timestamp() then clock_timestamp() else awake_since end,
           alive_until = clock_timestamp() + $3 * interval '1 millisecond'
         where index = $1 and instance = $2`,
        values: [index, instance, LEASE_MS],
      }),
    );
    if (rowCount === 0) return false;
    live = await bounded(liveWorkers(on));
    renewedAt = askedAt;
    return true;
  };

  const held = (): boolean => performance.now() - renewedAt < LEASE_MS;

  const drop = (): void => {
    holding?.release(true);
    holding = null;
  };

  const turn = async (): Promise<void> => {
    try {
      // After a lost session its lock may be there a little longer, or be another's already.
      holding ??= await lockedSession(pool, index);
      const mine = holding ? await renew(holding) : !(await isAnothers());
      if (!mine) lost.abort(new Error(`another process serves as worker ${index}`));
    } catch (error) {
      drop();
      onError(error);
    }
  };

  const keep = async (): Promise<void> => {
    while (!stopping.signal.aborted && !lost.signal.aborted) {
      await turn();
      await sleep(RENEW_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };

  return {
    index,
    instance,
    lost: lost.signal,
    held,
    live: () => live,
    leads: () => held() && live.every((worker) => worker.index >= index),

    async serve({ peerId, address }) {
      if (!holding) throw new Error(`worker ${index} has lost its session`);
      await holding.query(
        `insert into engine.workers (index, peer_id, address, instance, started_at, awake_since, alive_until)
         values ($1, $2, $3, $4, clock_timestamp(), clock_timestamp(),
           clock_timestamp() + $5 * interval '1 millisecond')
         on conflict (index) do update set
           peer_id = excluded.peer_id, address = excluded.address, instance = excluded.instance,
           started_at = excluded.started_at, awake_since = excluded.awake_since,
           alive_until = excluded.alive_until, stopped_at = null`,
        [index, peerId, address, instance, LEASE_MS],
      );
      await renew(holding);
      keeping = keep();
    },

    async release() {
      stopping.abort();
      await keeping;
      if (!holding) return;
      await bounded(
        holding.query(
          `update engine.workers set alive_until = clock_timestamp(), stopped_at = clock_timestamp()
           where index = $1 and instance = $2`,
          [index, instance],
        ),
      ).catch(onError);
      await end(holding);
      holding = null;
    },
  };
};
