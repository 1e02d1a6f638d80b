import type { ClientBase, Pool } from 'pg';

/**
 * How long a worker counts as alive after it last said so, ms: it says so every second. Routes of a killed worker stop
 * counting by then.
 */
export const LEASE_MS = 5000;

export interface LiveWorker {
  readonly index: number;
  readonly peerId: string;
  readonly address: string;
}

/** What is known of a worker, alive or not. */
export interface WorkerStatus extends LiveWorker {
  /** False of a worker that died, and of one that was stopped. */
  readonly alive: boolean;
  readonly startedAt: string;
  /** The end of its last sign of life. */
  readonly aliveUntil: string;
  /** When it left in order; null of one that should be there. */
  readonly stoppedAt: string | null;
}

/** Those of table `engine.workers` that live now, first index first. */
export const liveWorkers = async (db: Pool | ClientBase): Promise<readonly LiveWorker[]> => {
  const { rows } = await db.query<LiveWorker>(
    `select index, peer_id as "peerId", address from engine.workers
     where alive_until > clock_timestamp() order by index`,
  );
  return rows;
};

/** All workers that ever served, first index first: one that is neither alive nor stopped is missing. */
export const listWorkers = async (pool: Pool): Promise<readonly WorkerStatus[]> => {
  const { rows } = await pool.query<WorkerStatus>(
    `select index, peer_id as "peerId", address, alive_until > clock_timestamp() as alive,
       started_at as "startedAt", alive_until as "aliveUntil", stopped_at as "stoppedAt"
     from engine.workers order by index`,
  );
  return rows;
};
