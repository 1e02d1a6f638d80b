import { ask } from '../ask.ts';
import type { Session } from '../projection.ts';
import { selectList } from '../table.ts';
import { type JobRow, type JobState, jobsTable } from './table.ts';

const SELECT = `select ${selectList(jobsTable)} from fog.jobs`;
const GET = { name: 'fog-job', text: `${SELECT} where job_id = $1` };

export const getJob = async (db: Session, jobId: string): Promise<JobRow | null> => {
  const { rows } = await ask<JobRow>(db, GET, [jobId]);
  return rows[0] ?? null;
};

export interface JobPage {
  readonly items: readonly JobRow[];
  /** Pass it back for the next page; null at the end. */
  readonly nextCursor: string | null;
}

export interface ListJobsOptions {
  /** One principal's own jobs; everybody's when absent. */
  readonly submitter?: string;
  readonly states?: readonly JobState[];
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
  readonly limit: number;
}

const CURSOR = /^\d{1,18}$/;

/** Whether `cursor` can come from a page. */
export const isJobCursor = (cursor: string): boolean => CURSOR.test(cursor);

/** Jobs by submission, newest first; pages stay stable while new jobs arrive. */
export const listJobs = async (
  db: Session,
  { submitter, states, cursor, limit }: ListJobsOptions,
): Promise<JobPage> => {
  const { rows } = await db.query<JobRow>(
    `${SELECT}
      where ($1::text is null or submitter = $1)
        and ($2::text[] is null or state = any($2))
        and ($3::bigint is null or submitted_position < $3)
      order by jobs.submitted_position desc limit $4`,
    [submitter ?? null, states ?? null, cursor ?? null, limit + 1],
  );
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.submittedPosition ?? null) : null };
};

const QUEUED: readonly JobState[] = ['queued', 'quoted', 'auctioning', 'forming', 'launching'];
const RUNNING: readonly JobState[] = ['running', 'proving', 'settling'];

export interface QueueStats {
  readonly total: number;
  /** Accepted, no member working yet. */
  readonly queued: number;
  /** Of these, without room for their auction. */
  readonly waiting: number;
  readonly running: number;
  /** Settled or failed. */
  readonly completed: number;
  /** Mean time from submission to the start of the run, over all jobs that started. */
  readonly averageWaitSeconds: number;
}

/** Jobs that are not over: read by their states, however many jobs there have been. */
export const jobsUnderWay = async (db: Session): Promise<Pick<QueueStats, 'queued' | 'running'>> => {
  const { rows } = await db.query<Pick<QueueStats, 'queued' | 'running'>>(
    `select (count(*) filter (where state = any($1)))::integer as queued,
            (count(*) filter (where state = any($2)))::integer as running
       from fog.jobs where state = any($1 || $2)`,
    [QUEUED, RUNNING],
  );
  return rows[0] ?? { queued: 0, running: 0 };
};

export const queueStats = async (db: Session): Promise<QueueStats> => {
  const { rows } = await db.query<QueueStats>(
    `select count(*)::integer as total,
            (count(*) filter (where state = any($1)))::integer as queued,
            (count(*) filter (where state = 'queued'))::integer as waiting,
            (count(*) filter (where state = any($2)))::integer as running,
            (count(*) filter (where state in ('settled', 'failed')))::integer as completed,
            coalesce(avg(extract(epoch from started_at - submitted_at)), 0)::double precision as "averageWaitSeconds"
       from fog.jobs`,
    [QUEUED, RUNNING],
  );
  return rows[0] as QueueStats;
};

/** How many accepted jobs stand before this one; 0 for one that runs or ended. */
export const queuePosition = async (db: Session, job: Pick<JobRow, 'submittedPosition'>): Promise<number> => {
  const { rows } = await db.query<{ before: number }>(
    `select count(*)::integer as before from fog.jobs
      where state = any($2) and submitted_position < $1`,
    [job.submittedPosition, QUEUED],
  );
  return rows[0]?.before ?? 0;
};

const PROGRESS: Readonly<Record<JobState, number>> = {
  queued: 0,
  quoted: 0,
  auctioning: 0.1,
  forming: 0.3,
  launching: 0.4,
  running: 0.6,
  proving: 0.8,
  settling: 0.9,
  settled: 1,
  failed: 1,
};

/** Share of the way to a terminal state, by step. */
export const progressOf = ({ state }: Pick<JobRow, 'state'>): number => PROGRESS[state];
