import type { JobEvent, JobSubmitted } from '../job/events.ts';
import { meteredPayment } from '../job/metered-payment.ts';
import { type Micro, ZERO } from '../money.ts';
import { TIERS } from '../tiers.ts';

/** What a provider did for a job, and what it got. */
export interface Service {
  readonly jobId: string;
  readonly providerId: string;
  readonly owner: string;
  readonly submitter: string;
  /** Availability that the job's tier promises. */
  readonly availability: number;
  /** When the work began and when the job ended; null as long as they did not. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** What it was owed: before its result, what it was promised for all of the declared work. */
  readonly fee: Micro;
  /** What the job's end paid it of that: nothing before, nor to a member whose result was not accepted. */
  readonly earned: Micro;
}

/** The part of a provider in a job, from the job's events; null when it was never a member. */
export const serviceOf = (events: readonly JobEvent[], providerId: string): Service | null => {
  let service: Omit<Service, 'owner' | 'fee'> | null = null;
  let member: { readonly owner: string; readonly promised: Micro } | null = null;
  let submitted: JobSubmitted | null = null;
  let fuelUsed: number | undefined;
  for (const event of events) {
    if (event.type === 'job.submitted') {
      const { jobId, submitter, tier } = event;
      submitted = event;
      const { availability } = TIERS[tier];
      service = { jobId, providerId, submitter, availability, startedAt: null, endedAt: null, earned: ZERO };
    } else if (!service) return null;
    switch (event.type) {
      case 'job.quorum-formed':
      case 'job.quorum-degraded': {
        const found = event.members.find((each) => each.providerId === providerId);
        if (found) member = { owner: found.owner, promised: found.payment };
        break;
      }
      case 'job.result-received':
        if (event.providerId === providerId) fuelUsed = event.fuelUsed;
        break;
      case 'job.run-started':
        service = { ...service, startedAt: service.startedAt ?? event.startedAt };
        break;
      case 'job.settled':
      case 'job.failed': {
        const earned = event.payouts.find((each) => each.providerId === providerId)?.amount ?? ZERO;
        const endedAt = event.type === 'job.settled' ? event.settledAt : event.failedAt;
        service = { ...service, earned, endedAt };
        break;
      }
      default:
    }
  }
  if (!service || !submitted || !member) return null;
  const { owner, promised } = member;
  return { ...service, owner, fee: meteredPayment(promised, submitted, fuelUsed) };
};
