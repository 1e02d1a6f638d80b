import { z } from 'zod';
import { nameOf } from '../../../domain/schema.ts';
import { queuePlaces } from '../../../infra/queue/position.ts';
import { countActiveEnclaves } from '../../../projections/enclaves/queries.ts';
import { isJobCursor, listJobs, queueStats } from '../../../projections/jobs/queries.ts';
import { listProviders } from '../../../projections/providers/queries.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { instant, micro, pageQuery } from '../../fields.ts';
import { afterQuery, readAfter } from '../../read-after.ts';
import { JOB_STATES } from './job.ts';

export const getQueue = ({ db, checkpoints }: Pick<RouteDependencies, 'db' | 'checkpoints'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/fog/scheduler/queue',
      summary: 'Totals of the queue, and the own jobs of the caller, newest first',
      tag: 'scheduler',
      access: 'any',
      query: z.strictObject({
        ...pageQuery,
        cursor: nameOf(200).refine(isJobCursor, 'a next_cursor of this list').optional(),
        ...afterQuery,
      }),
      responses: {
        200: z.object({
          queue_stats: z.object({
            total: z.int(),
            queued: z.int(),
            waiting: z.int().describe('of the queued ones, those without room for their auction'),
            running: z.int(),
            completed: z.int(),
            average_wait_seconds: z.number(),
          }),
          utilization: z.object({ active_enclaves: z.int(), listed_providers: z.int() }),
          own: z.object({
            items: z.array(
              z.object({
                job_id: z.string(),
                state: z.enum(JOB_STATES),
                queue_position: z.int().nullable(),
                waits_until: instant.nullable(),
                tier: z.string(),
                price_micro: micro.nullable(),
                submitted_at: instant,
              }),
            ),
            next_cursor: z.string().nullable(),
          }),
        }),
      },
      errors: [],
    },
    async ({ principal }, { query }) => {
      const ready = await readAfter(checkpoints, ['jobs'], query.after);
      if (!ready.ok) return ready;
      const [stats, own, enclaves, providers, places] = await Promise.all([
        queueStats(db),
        listJobs(db, {
          submitter: principal.id,
          limit: query.limit,
          ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
        }),
        countActiveEnclaves(db),
        listProviders(db, { listed: true }),
        queuePlaces(db),
      ]);
      return respond(200, {
        queue_stats: {
          total: stats.total,
          queued: stats.queued,
          waiting: stats.waiting,
          running: stats.running,
          completed: stats.completed,
          average_wait_seconds: stats.averageWaitSeconds,
        },
        utilization: {
          active_enclaves: enclaves.reduce((sum, { count }) => sum + count, 0),
          listed_providers: providers.length,
        },
        own: {
          items: own.items.map(({ jobId, state, tier, price, submittedAt, waitsUntil }) => ({
            job_id: jobId,
            state,
            queue_position: places.get(jobId) ?? null,
            waits_until: waitsUntil,
            tier,
            price_micro: price,
            submitted_at: submittedAt,
          })),
          next_cursor: own.nextCursor,
        },
      });
    },
  );
