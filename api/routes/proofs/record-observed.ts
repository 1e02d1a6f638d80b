import { ok, type Rejection, type Result, reject } from '../../../domain/errors.ts';
import { type EventContext, newEvent } from '../../../domain/event.ts';
import { canonicalJson } from '../../../domain/json.ts';
import { NO_STREAM, type StreamAppend } from '../../../domain/ports/event-store.ts';
import type { AvailabilityProof } from '../../../domain/proof/availability-record.ts';
import { hashOfJson } from '../../../domain/proof/commit.ts';
import type { AvailabilityRecorded, SlaComplianceRecorded } from '../../../domain/proof/events.ts';
import type { SlaProof } from '../../../domain/proof/sla-record.ts';
import type { Principal } from '../../../infra/keys/credentials.ts';
import type { SlaStanding } from '../../../infra/sla/sla-credits.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { hasRole } from '../../roles.ts';
import { creditClaim } from './credit.ts';
import { chunksFault, partiesFault } from './evidence.ts';
import { type JudgeDependencies, judgeProof } from './judge.ts';

export type ObservedProof = SlaProof | AvailabilityProof;

export type ObservedDependencies = JudgeDependencies &
  Pick<RouteDependencies, 'ownersOf' | 'providers' | 'slaCredits' | 'store'>;

export interface Caller {
  readonly principal: Principal;
  readonly commandId: string;
  readonly traceparent: string | null;
}

const isAvailability = (proof: ObservedProof): proof is AvailabilityProof =>
  proof.record.proofType === 'proof_of_availability';

const eventOf = (
  proof: ObservedProof,
  facts: Pick<SlaComplianceRecorded, 'steps' | 'recordedAt'>,
): AvailabilityRecorded | SlaComplianceRecorded => {
  const shared = { machineVersion: 1, proofId: proof.proofId, evidence: hashOfJson(proof), ...facts };
  return isAvailability(proof)
    ? { type: 'proof.availability-recorded', ...shared, record: proof.record }
    : { type: 'proof.sla-compliance-recorded', ...shared, record: proof.record };
};

export interface ObservedRecorded {
  /** Of the proof, or of the credit that it led to. */
  readonly position: bigint;
  /** What the provider owes for the job; null where the proof gives nothing back. */
  readonly credit: SlaStanding | null;
}

/**
 * Verifies a proof that rests on observers and records it: the record in the log, the whole proof as an artefact, for it
 * may hold chunks of one. What an SLA gives back is settled in the same step. Again the same answer.
 */
export const recordObserved = async (
  deps: ObservedDependencies,
  { principal, commandId, traceparent }: Caller,
  proof: ObservedProof,
  taskId: string | undefined,
): Promise<Result<ObservedRecorded>> => {
  const { terms } = proof.record;
  const owners = await deps.ownersOf(terms.providerId);
  if (!owners?.has(principal.id) && !hasRole(principal, 'engine', 'operator'))
    return reject('RESOURCE_NOT_FOUND', `no provider ${terms.providerId}`, [
      { field: 'evidence.record.terms.providerId', rule: 'a provider of yours' },
    ]);
  const judged = await judgeProof(deps, principal.id, proof, { allowSimulated: false });
  if (!judged.ok) return judged;
  const verdict = judged.value;
  const broken = verdict.steps.filter(({ ok }) => !ok);
  if (taskId !== undefined && taskId !== terms.jobId)
    broken.push({ step: 'expected.jobId', ok: false, code: 'EXPECTATION_MISMATCH' });
  if (broken.length > 0)
    return reject(
      'PROOF_VERIFICATION_FAILED',
      'the evidence does not verify',
      broken.map(({ step, code }) => ({ field: `evidence.${step}`, rule: code })),
    );
  const fault: Rejection | null =
    (await partiesFault(deps.providers, terms)) ??
    (isAvailability(proof) ? await chunksFault(deps.artifacts, proof) : null);
  if (fault) return fault;
  const claim = isAvailability(proof) ? ok(null) : await creditClaim(deps.store, proof);
  if (!claim.ok) return claim;

  const { proofId } = proof;
  const [known] = await deps.store.readStream(proofId);
  if (known && !claim.value) return ok({ position: known.position, credit: null });
  const at = deps.now();
  await deps.artifacts.put(new TextEncoder().encode(canonicalJson(proof)), principal.id, 'application/json');
  const context: EventContext = {
    occurredAt: at,
    actor: principal.id,
    correlationId: terms.jobId ?? terms.providerId,
    causationId: commandId,
    traceparent,
  };
  const append: StreamAppend = {
    stream: proofId,
    expectedRevision: NO_STREAM,
    events: [newEvent(eventOf(proof, { steps: verdict.steps, recordedAt: at }), context)],
    commands: [commandId],
  };
  if (claim.value) return ok(await deps.slaCredits.settle(append, claim.value, context));
  const appended = await deps.store.append(append);
  if (appended.ok) return ok({ position: appended.position, credit: null });
  // Somebody else was first: the id is the hash of the record, which covers everything.
  const [first] = await deps.store.readStream(proofId);
  if (!first) throw new Error(`a conflict on the empty stream ${proofId}`);
  return ok({ position: first.position, credit: null });
};
