import { z } from 'zod';
import { ok, type Result, reject } from '../../../domain/errors.ts';
import { queuePlaces } from '../../../infra/queue/position.ts';
import { countBids } from '../../../projections/auctions/queries.ts';
import { getJob } from '../../../projections/jobs/queries.ts';
import type { JobRow } from '../../../projections/jobs/table.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, queryNumber } from '../../fields.ts';
import { afterQuery, readAfter } from '../../read-after.ts';
import { maySee } from '../../roles.ts';
import { isTerminal, JOB_STATES, jobSchema, shownJob } from './job.ts';

/** Longest wait for a state, seconds. */
const MAX_WAIT_SECONDS = 60;

type Wanted = (typeof JOB_STATES)[number] | 'terminal';

const isThere = (job: JobRow, wanted: Wanted): boolean =>
  isTerminal(job.state) || (wanted !== 'terminal' && job.state === wanted);

/**
 * A job's state. With `wait_for` the answer waits, for at most `timeout` seconds, until the job is in that state or at its
 * end; the state in the answer tells which.
 */
export const getJobStatus = ({
  db,
  checkpoints,
  watch,
  store,
}: Pick<RouteDependencies, 'db' | 'checkpoints' | 'watch' | 'store'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/fog/scheduler/status/{job_id}',
      summary: 'State, members, proofs and money of a job',
      tag: 'scheduler',
      access: 'any',
      params: z.strictObject({ job_id: idOf('job') }),
      query: z.strictObject({
        ...afterQuery,
        wait_for: z.enum(['terminal', ...JOB_STATES]).optional(),
        timeout: queryNumber(z.number().min(0).max(MAX_WAIT_SECONDS)).default(30),
      }),
      responses: { 200: jobSchema },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async ({ principal, signal }, { params, query }) => {
      const jobId = params.job_id;
      const { after, wait_for: wanted } = query;
      const timeoutMs = query.timeout * 1000;
      const seen: { job: JobRow | null } = { job: null };
      const isOf = ({ submitter, members }: JobRow): boolean =>
        maySee(principal, [submitter, ...members.map(({ owner }) => owner)]);
      const look = async (): Promise<true | null> => {
        const job = (await getJob(db, jobId)) ?? seen.job;
        seen.job = job;
        return job && wanted !== undefined && isOf(job) && !isThere(job, wanted) ? null : true;
      };
      // The log tells of an event before the read model shows it.
      const shown = (position: bigint) =>
        checkpoints.shows(position, ['jobs']) ? null : checkpoints.waitFor(position, ['jobs'], timeoutMs);
      const follow = async (from: string | undefined): Promise<Result<null>> => {
        const ready = await readAfter(checkpoints, ['jobs'], from);
        if (!ready.ok) return ready;
        await (wanted === undefined ? look() : watch(jobId, look, { timeoutMs, signal, shown }));
        return ok(null);
      };
      const followed = await follow(after);
      if (!followed.ok) return followed;
      if (!seen.job && after === undefined) {
        // A job that was just submitted may be known to the log only.
        const [first] = await store.readStream(jobId, { from: 0n, to: 0n });
        const again = first ? await follow(String(first.position)) : ok(null);
        if (!again.ok) return again;
      }
      const { job } = seen;
      if (!job || !isOf(job)) {
        return reject('RESOURCE_NOT_FOUND', `no job ${jobId}`, [{ field: 'job_id', rule: 'a job of yours' }]);
      }
      const [bids, places] = await Promise.all([
        countBids(db, job.auctionId),
        job.state === 'queued' ? queuePlaces(db) : null,
      ]);
      return respond(200, shownJob(job, { bids, queuePosition: places?.get(jobId) ?? null }));
    },
  );
