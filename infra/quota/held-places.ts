import type { Pool } from 'pg';
import { suffixOf } from '../../domain/ids.ts';
import { foldedState } from '../../domain/registry.ts';
import { type FoldSource, foldsOf } from '../event-store/folds.ts';

const stateOf = async (store: FoldSource, stream: string): Promise<string | null> => {
  const folded = await foldsOf(store).stream(stream);
  return folded && foldedState(folded);
};

/** Whether an auction takes bids, or is about to: the auction of a job opens after its job. */
export const isOpenAuction =
  (store: FoldSource) =>
  async (auctionId: string): Promise<boolean | null> => {
    const auction = await stateOf(store, auctionId);
    if (auction !== null) return auction === 'open' || auction === 'opening';
    const job = await stateOf(store, `job-${suffixOf(auctionId)}`);
    return job === null ? null : job === 'quoted' || job === 'auctioning';
  };

/** Whether a job waits for room, or is about to. */
export const isWaitingJob =
  (store: FoldSource) =>
  async (jobId: string): Promise<boolean | null> => {
    const job = await stateOf(store, jobId);
    return job === null ? null : job === 'queued';
  };

/** Auctions that the queue has opened for a principal's jobs, or is about to: they count, and take no place. */
export const auctionsOfQueue =
  (pool: Pool) =>
  async (principal: string): Promise<number> => {
    const { rows } = await pool.query<{ count: number }>(
      `select count(*)::integer as count from engine.queue left join fog.jobs on jobs.job_id = queue.job
        where queue.submitter = $1 and queue.admitted_at is not null
          and (jobs.state is null or jobs.state in ('queued', 'quoted', 'auctioning'))`,
      [principal],
    );
    return rows[0]?.count ?? 0;
  };

/** Whether an enclave keeps a place of its node. */
export const isLiveEnclave =
  (store: FoldSource) =>
  async (enclaveId: string): Promise<boolean | null> => {
    const enclave = await stateOf(store, enclaveId);
    return enclave === null ? null : enclave !== 'terminated' && enclave !== 'error';
  };
