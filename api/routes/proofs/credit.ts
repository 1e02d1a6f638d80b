import { z } from 'zod';
import { ok, type Result, reject } from '../../../domain/errors.ts';
import { aggregateOf, domainEventOf } from '../../../domain/event.ts';
import type { JobEvent } from '../../../domain/job/events.ts';
import { windowSeconds } from '../../../domain/proof/sla.ts';
import type { SlaProof } from '../../../domain/proof/sla-record.ts';
import type { CreditClaim } from '../../../domain/sla/credit.ts';
import { serviceOf } from '../../../domain/sla/service.ts';
import { addSeconds, isBefore } from '../../../domain/time.ts';
import type { SlaStanding } from '../../../infra/sla/sla-credits.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { micro, position } from '../../fields.ts';
import { TERMS, unsound } from './evidence.ts';

/** What a provider gives back to the submitter of a job, as answers show it. */
export const creditSchema = z
  .object({
    due: micro.describe('by all proofs for this job and provider: the worst window counts'),
    paid: micro.describe("moved from the provider's owner to the submitter so far"),
    outstanding: micro.describe('due, but the owner had no more: taken when the proof is sent again'),
    position: position.describe('of the newest credit; 0 without one'),
  })
  .meta({ id: 'SlaCredit' });

export const creditView = ({ account, position: at }: SlaStanding): z.input<typeof creditSchema> => ({
  ...account,
  position: String(at),
});

/**
 * What a proof for a job claims. Refused unless its window lies in the job's run, its provider took part, its target is
 * no stricter than what the tier promised and, where money is due, the job has ended. Null where nothing is due.
 */
export const creditClaim = async (
  store: Pick<RouteDependencies['store'], 'readStream'>,
  { proofId, record: { terms, judgement } }: SlaProof,
): Promise<Result<CreditClaim | null>> => {
  const { jobId, providerId, from, availability } = terms;
  if (jobId === null) return ok(null);
  const events = aggregateOf(jobId) === 'job' ? await store.readStream(jobId) : [];
  const service = serviceOf(
    events.map((event) => domainEventOf<JobEvent>(event)),
    providerId,
  );
  if (!service)
    return reject('RESOURCE_NOT_FOUND', `no job ${jobId} of this provider`, [
      { field: `${TERMS}.jobId`, rule: 'a job in which the provider took part' },
    ]);
  const { startedAt, endedAt } = service;
  const to = addSeconds(from, windowSeconds(terms));
  const isInRun =
    startedAt !== null && !isBefore(from, startedAt) && (endedAt === null || !isBefore(endedAt, to));
  if (!isInRun) return unsound(`${TERMS}.from`, `a window within the run of ${jobId}`);
  if (availability > service.availability)
    return unsound(`${TERMS}.availability`, `at most ${service.availability}, as the tier promises`);
  const { creditPercent } = judgement;
  if (creditPercent === 0) return ok(null);
  if (endedAt === null)
    return reject('CONFLICT', `${jobId} is not settled: nobody knows yet what there is to give back`, [
      { field: `${TERMS}.jobId`, rule: 'a job that has ended' },
    ]);
  return ok({ service, proofId, creditPercent });
};
