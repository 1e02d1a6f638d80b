import type { JobEvent, JobStandbyDeclined } from '../domain/job/events.ts';
import { type Job, type Member, unboundOf } from '../domain/job/job.ts';
import type { Command, CommandMeta, Lifecycles } from '../domain/ports/lifecycles.ts';
import type { AskPatiently } from './patience.ts';

export interface StandbyDeps {
  readonly ask: AskPatiently;
  readonly lifecycles: Pick<Lifecycles, 'execute'>;
  /** Whether a provider may win the order: not one whose bond stands behind another. */
  readonly mayWin: (providerId: string, order: Job) => Promise<boolean>;
}

/** How long a node has for its answer, ms; a job waits for it. */
const ANSWER_WINDOW_MS = 10_000;

/** Asks who is to come in for members lost (settled 38). */
export const createStandbyActivities = ({ ask, lifecycles, mayWin }: StandbyDeps) => {
  const declined = (
    { providerId, owner, bidId }: Member,
    reason: JobStandbyDeclined['reason'],
    message: string,
  ): JobStandbyDeclined[] => [{ type: 'job.standby-declined', providerId, owner, bidId, reason, message }];

  /** The deposit is booked with the event, by the job itself; so is what it is bound by. */
  const bind = async (job: Job, standby: Member): Promise<JobStandbyDeclined[]> => {
    const { providerId } = standby;
    const meta: CommandMeta = {
      commandId: `${job.jobId}/bind/${providerId}`,
      actor: 'engine',
      correlationId: job.jobId,
      causationId: job.jobId,
      traceparent: null,
    };
    const outcome = await lifecycles.execute(
      job.jobId,
      { type: 'bind-standby', providerId } as Command,
      meta,
    );
    if (outcome.ok) return [];
    switch (outcome.code) {
      case 'RESOURCE_UNAVAILABLE':
        throw new Error(outcome.message);
      case 'INSUFFICIENT_BALANCE': {
        const news = { type: 'auction-ended', auctionId: job.auctionId, won: false } as const;
        await ask(providerId, news, { windowMs: ANSWER_WINDOW_MS });
        return declined(standby, 'funds', outcome.message);
      }
      default:
        // The job has moved on, or this answer has come before. What the node holds in vain, it frees by itself.
        return [];
    }
  };

  const askOne = async (job: Job, standby: Member): Promise<JobStandbyDeclined[]> => {
    const { auctionId, requiredTops, memoryMb, ceiling } = job;
    if (!(await mayWin(standby.providerId, job)))
      return declined(standby, 'refused', 'its bond does not stand behind this order');
    const { reply } = await ask(
      standby.providerId,
      {
        type: 'stand-in',
        auctionId,
        tops: requiredTops,
        memoryMb,
        deposit: ceiling,
        payment: standby.payment,
      },
      { windowMs: ANSWER_WINDOW_MS },
    );
    switch (reply.type) {
      case 'standing-in':
        return bind(job, standby);
      case 'refused':
        return declined(standby, 'refused', reply.message);
      case 'lost':
      case 'silent':
        return declined(standby, 'silent', reply.message);
    }
  };

  return {
    /** Asks all members that nothing binds yet. Who accepts enters the log by a command, who declines by what this answers. */
    'job.askStandbys': async ({ job }: { readonly job: Job }): Promise<JobEvent[]> => {
      const answers = await Promise.all(unboundOf(job).map((standby) => askOne(job, standby)));
      return answers.flat();
    },
  };
};
