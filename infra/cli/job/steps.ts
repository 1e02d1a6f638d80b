import type { Job, JobState, Quote } from '../client/schema.ts';
import { labelOf } from '../render/label.ts';
import { counted } from '../render/text.ts';
import { hasEnded } from './run-job.ts';

/** Steps of the command itself, before the job is on its own. */
export const SUBMISSION_STEPS = ['quote', 'upload', 'submit'] as const;

/** What a person sees happen, in order. */
export const STEPS = [
  ...SUBMISSION_STEPS,
  'queue',
  'auction',
  'quorum',
  'enclaves',
  'run',
  'proof',
  'settlement',
] as const;
export type Step = (typeof STEPS)[number];

/** The step under way in a state; the ends have none. */
const STEP_OF: Readonly<Record<Exclude<JobState, 'settled' | 'failed'>, Step>> = {
  queued: 'queue',
  quoted: 'auction',
  auctioning: 'auction',
  forming: 'quorum',
  launching: 'enclaves',
  running: 'run',
  proving: 'proof',
  settling: 'settlement',
};

/** The step that `job` is at; null once it settled, or failed and so never gets to the steps that are left. */
export const stepOf = (job: Pick<Job, 'state' | 'reason'>): Step | null => {
  const { state, reason } = job;
  return state === 'settled' || state === 'failed' || reason !== null ? null : STEP_OF[state];
};

export const quoteTitle = ({ tier, h200_hours, winners, ceiling }: Quote): string =>
  `Quote: ${tier}, ${h200_hours} H200-hours, ${counted(winners, 'winner')}, at most ${ceiling} micro-units each`;

const secondsUntil = (instant: string, nowMs: number): number =>
  Math.max(0, Math.ceil((Date.parse(instant) - nowMs) / 1_000));

const queueTitle = (job: Job | null, nowMs: number): string => {
  if (job?.state !== 'queued') return 'Room on the nodes';
  const place = job.queue_position === null ? [] : [`place ${job.queue_position}`];
  const limit =
    job.waits_until === null ? [] : [`for at most ${secondsUntil(job.waits_until, nowMs)} s more`];
  return `Queued for room on the nodes (${[...place, ...limit].join(', ')})`;
};

const auctionTitle = (job: Job | null, nowMs: number): string => {
  const bids = job?.bids ? [counted(job.bids, 'bid')] : [];
  const closes =
    job?.state === 'auctioning' && job.closes_at !== null
      ? [`closes in ${secondsUntil(job.closes_at, nowMs)} s`]
      : [];
  const known = [...bids, ...closes].join(', ');
  return known ? `Sealed auction (${known})` : 'Sealed auction';
};

/** Title of a step, with what is known of it by now. `nowMs` is the time here, for the countdown alone. */
export const titleOf = (step: Step, job: Job | null, nowMs: number): string => {
  switch (step) {
    case 'quote':
      return 'Quote';
    case 'upload':
      return 'Upload';
    case 'submit':
      return job ? `Submitted as ${job.job_id}` : 'Submit';
    case 'queue':
      return queueTitle(job, nowMs);
    case 'auction':
      return auctionTitle(job, nowMs);
    case 'quorum': {
      if (!job || job.predicted_availability === null) return 'Quorum';
      const epoch = job.epoch > 1 ? `, epoch ${job.epoch}` : '';
      const degraded = job.degraded ? ', degraded' : '';
      const size = counted(job.members.length, 'member');
      return `Quorum: ${size}, predicted availability ${job.predicted_availability.toFixed(6)}${epoch}${degraded}`;
    }
    case 'enclaves': {
      const label = job && labelOf(job.members);
      return label ? `Enclaves attested (${label})` : 'Enclaves';
    }
    case 'run': {
      const lost = job ? job.failed_members.length : 0;
      return lost > 0 ? `Run (${counted(lost, 'member')} replaced)` : 'Run';
    }
    case 'proof':
      return job?.proof_id ? `Results compared, ${job.proof_id}` : 'Results compared and proven';
    case 'settlement':
      return job?.price_micro && hasEnded(job) ? `Settled for ${job.price_micro} micro-units` : 'Settlement';
  }
};
