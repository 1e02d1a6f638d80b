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

/** Those of table `engine.workers` that live now, first index first. */
export const liveWorkers = async (db: Pool | ClientBase): Promise<readonly LiveWorker[]> => {
  const { rows } = await db.query<LiveWorker>({
    name: 'live-workers',
    text: `select index, peer_id as "peerId", address from engine.workers
     where alive_until > clock_timestamp() order by index`,
  });
  return rows;
};
