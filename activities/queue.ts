import type { JobAborted, JobAdmitted } from '../domain/job/events.ts';
import { aborted, type Job } from '../domain/job/job.ts';
import type { JobQueue } from '../infra/queue/job-queue.ts';

export interface QueueActivityDeps {
  readonly queue: Pick<JobQueue, 'ask'>;
  readonly now: () => string;
}

/** The effect of a job that asks for room. */
export const createQueueActivities = ({ queue, now }: QueueActivityDeps) => ({
  /** Whether its auction may open. Where there is no room yet nothing happens: the queue commands it to go on (`admit`). */
  'job.admit': async ({ job }: { readonly job: Job }): Promise<(JobAdmitted | JobAborted)[]> => {
    switch (await queue.ask(job)) {
      case 'admitted':
        return [{ type: 'job.admitted', attempt: job.attempt ?? 1, admittedAt: now() }];
      case 'waiting':
        return [];
      case 'hopeless': {
        const { reason, message } = job.turnedBack ?? {
          reason: 'AUCTION_NOT_ENOUGH_BIDS' as const,
          message: 'too few bids',
        };
        return [aborted(reason, message)];
      }
    }
  },
});
