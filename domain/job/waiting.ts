import { addSeconds, msBetween } from '../time.ts';
import type { Job } from './job.ts';

/** Longest that a job may wait for room, seconds, and what a submission says that says nothing of it. */
export const MAX_WAIT_SECONDS = 3600;
export const DEFAULT_WAIT_SECONDS = 300;

/** Jobs of one submitter that may wait at once: each is looked at whenever room is freed. */
export const MAX_WAITING_JOBS = 256;

type Waiting = Pick<Job, 'submittedAt' | 'maxWaitSeconds' | 'queuedAt'>;

/** Until when a job may wait for room, in all of its attempts; its submission where it may not. */
export const waitsUntil = ({ submittedAt, maxWaitSeconds = 0 }: Omit<Waiting, 'queuedAt'>): string =>
  addSeconds(submittedAt, maxWaitSeconds);

/** What is left of the wait of a job that has just been queued, ms. */
export const waitLeftMs = (job: Waiting): number =>
  Math.max(0, msBetween(job.queuedAt ?? job.submittedAt, waitsUntil(job)));
