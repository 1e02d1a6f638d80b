import type { Pool, PoolClient } from 'pg';
import type { Job } from '../../domain/job/job.ts';
import { waitsUntil } from '../../domain/job/waiting.ts';
import type { Lifecycles } from '../../domain/ports/lifecycles.ts';
import { admissible, backoffMs } from '../../domain/queue/admission.ts';
import type { Order } from '../../domain/queue/room.ts';
import { addMs, epochMs } from '../../domain/time.ts';
import { type LetOut, type Queued, type QueueView, readQueue } from './market.ts';

export interface JobQueueDeps {
  readonly pool: Pool;
  readonly lifecycles: Pick<Lifecycles, 'execute'>;
  /** RFC 3339 instant. */
  readonly now: () => string;
  readonly onError: (error: unknown) => void;
}

/** What becomes of a job that asks for room: its auction opens; it waits; its last auction failed, and not for want of room. */
export type Answer = 'admitted' | 'waiting' | 'hopeless';

export interface JobQueue {
  /** Takes the job's place in the queue and lets out whoever there is room for. Asked again, it answers the same. */
  ask(job: Job): Promise<Answer>;
  /** The job is over, and its room is others'. */
  leave(jobId: string): Promise<void>;
  /** Lets jobs out until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

type Row = Pick<Queued, 'attempt' | 'crowded'> & { readonly admittedAt: string | null };

/** A job that was let out and is seen to wait after so long was not told, ms: whoever let it out has died. */
const UNTOLD_MS = 5_000;
/** Between two looks at the queue, ms: while somebody waits, for what nodes and auctions do; and else, for what others left behind. */
const WAITING_MS = 1_000;
const IDLE_MS = 10_000;

/** What an enclave of the job takes, as its auction announces it. */
const orderOf = ({
  tier,
  requiredTops,
  utilization,
  durationSeconds,
  memoryMb,
  pricedMemoryMb,
}: Job): Order => ({
  tier,
  requiredTops,
  utilization,
  durationSeconds,
  memoryMb: pricedMemoryMb ?? memoryMb,
});

const LOCK = `select pg_advisory_xact_lock(hashtextextended('engine.queue', 0))`;

const JOIN = `
  insert into engine.queue as known (job, submitter, needs, auction_seconds, submitted_at, attempt, not_before)
  values ($1, $2, $3, $4, $5, $6, $7)
  on conflict (job) do update
    set attempt = excluded.attempt, not_before = excluded.not_before, admitted_at = null
  where known.attempt < excluded.attempt`;

/** The queue of jobs that wait for room. All of it is in the database: whichever worker looks, one at a time, lets jobs out. */
export const createJobQueue = ({ pool, lifecycles, now, onError }: JobQueueDeps): JobQueue => {
  let nudge = Promise.withResolvers<void>();
  let isWaiting = false;

  const locked = async <T>(work: (client: PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query(LOCK);
      const result = await work(client);
      await client.query('commit');
      client.release();
      return result;
    } catch (error) {
      // The connection's end is the transaction's.
      client.release(true);
      throw error;
    }
  };

  /** Marks those that there is room for. */
  const choose = async (
    client: PoolClient,
    { market, waiting }: QueueView,
    at: string,
  ): Promise<readonly Queued[]> => {
    const chosen = admissible(market, waiting);
    isWaiting = waiting.length > chosen.length;
    if (chosen.length === 0) return chosen;
    await client.query(
      `update engine.queue set
         crowded = $3 or admitted_at is not null,
         admitted_at = case when job = any($1) then $2 else admitted_at end
       where job = any($1) or admitted_at is not null`,
      [chosen.map(({ jobId }) => jobId), at, market.admitted.length + chosen.length > 1],
    );
    return chosen;
  };

  const tell = async ({ jobId, attempt }: Pick<LetOut, 'jobId' | 'attempt'>): Promise<void> => {
    const meta = {
      commandId: `${jobId}/admit/${attempt}`,
      actor: 'engine',
      correlationId: jobId,
      causationId: jobId,
      traceparent: null,
    };
    const command = { type: 'admit', attempt } as const;
    const outcome = await lifecycles.execute(jobId, command, meta);
    // Whatever else it says, it does not wait for this; without an answer it is told again.
    if (!outcome.ok && outcome.code === 'RESOURCE_NOT_FOUND') await drop(jobId);
  };

  const tellAll = (jobs: readonly Pick<LetOut, 'jobId' | 'attempt'>[]): Promise<unknown> =>
    Promise.all(jobs.map((job) => tell(job).catch(onError)));

  const drop = async (jobId: string): Promise<void> => {
    await pool.query('delete from engine.queue where job = $1', [jobId]);
  };

  const letOut = async (): Promise<void> => {
    const jobs = await locked(async (client) => {
      // Those that have ended without a word.
      await client.query(
        `delete from engine.queue using fog.jobs
          where jobs.job_id = queue.job and jobs.state in ('settled', 'failed')`,
      );
      const at = now();
      const view = await readQueue(client, epochMs(at));
      const untold = view.letOut.filter(
        ({ isHeard, admittedMs }) => !isHeard && view.market.nowMs - admittedMs >= UNTOLD_MS,
      );
      return [...untold, ...(await choose(client, view, at))];
    });
    await tellAll(jobs);
  };

  return {
    async ask(job) {
      const { jobId, submitter, auctionSeconds, submittedAt, attempt = 1 } = job;
      const { answer, others } = await locked(
        async (client): Promise<{ answer: Answer; others: readonly Queued[] }> => {
          const at = now();
          const { rows } = await client.query<Row>(
            `select attempt, crowded, admitted_at as "admittedAt" from engine.queue where job = $1`,
            [jobId],
          );
          const [known] = rows;
          if (known?.attempt === attempt && known.admittedAt !== null)
            return { answer: 'admitted', others: [] };
          const notBefore = addMs(at, backoffMs(attempt));
          const needs = JSON.stringify(orderOf(job));
          await client.query(JOIN, [
            jobId,
            submitter,
            needs,
            auctionSeconds,
            submittedAt,
            attempt,
            notBefore,
          ]);
          const view = await readQueue(client, epochMs(at));
          if (attempt > 1 && known && !known.crowded && view.market.admitted.length === 0)
            return { answer: 'hopeless', others: [] };
          // Too late: its own deadline ends it.
          const isLate = epochMs(waitsUntil(job)) <= view.market.nowMs;
          const waiting = isLate ? view.waiting.filter((each) => each.jobId !== jobId) : view.waiting;
          const chosen = await choose(client, { ...view, waiting }, at);
          const isAdmitted = chosen.some((each) => each.jobId === jobId);
          return {
            answer: isAdmitted ? 'admitted' : 'waiting',
            others: chosen.filter((each) => each.jobId !== jobId),
          };
        },
      );
      if (answer === 'waiting') nudge.resolve();
      void tellAll(others);
      return answer;
    },

    async leave(jobId) {
      await drop(jobId);
      if (isWaiting) nudge.resolve();
    },

    async run(signal) {
      const stopped = new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      while (!signal.aborted) {
        nudge = Promise.withResolvers();
        await letOut().catch(onError);
        let timer: NodeJS.Timeout | undefined;
        const pause = new Promise<void>((resolve) => {
          timer = setTimeout(resolve, isWaiting ? WAITING_MS : IDLE_MS);
        });
        await Promise.race([nudge.promise, pause, stopped]);
        clearTimeout(timer);
      }
    },
  };
};
