import type { PlatformLabel } from '../../../domain/enclave/events.ts';
import { ok, type Result, reject } from '../../../domain/errors.ts';
import { domainEventOf, newEvent } from '../../../domain/event.ts';
import { canonicalJson } from '../../../domain/json.ts';
import { NO_STREAM } from '../../../domain/ports/event-store.ts';
import type { ProofRecorded } from '../../../domain/proof/events.ts';
import type { ExecutionProof } from '../../../domain/proof/record.ts';
import { type ProofExpectation, verifyExecutionProof } from '../../../infra/verify/index.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { hasRole } from '../../roles.ts';
import type { Caller } from './record-observed.ts';

export type ExecutionDependencies = Pick<
  RouteDependencies,
  'artifacts' | 'meteringOf' | 'now' | 'ownersOf' | 'requireHardware' | 'roots' | 'store'
>;

/** What is known of a module, where it is stored: its bytes and, for a metered run, what has to have run in its place. */
const knownOf = async (
  { artifacts, meteringOf }: Pick<ExecutionDependencies, 'artifacts' | 'meteringOf'>,
  { record }: ExecutionProof,
): Promise<Result<Pick<ProofExpectation, 'module' | 'metering'>>> => {
  const module = await artifacts.read(record.moduleHash);
  if (!module) return ok({});
  if (record.version === 1) return ok({ module });
  const metered = await meteringOf(record.moduleHash, module);
  return metered.ok ? ok({ module, metering: metered.value.metering }) : metered;
};

/** Verifies a proof of execution and records it. Again the same answer. */
export const recordExecution = async (
  { artifacts, meteringOf, now, ownersOf, requireHardware, roots, store }: ExecutionDependencies,
  { principal, commandId, traceparent }: Caller,
  proof: ExecutionProof,
  expected: ProofExpectation,
): Promise<Result<{ readonly position: bigint; readonly label: PlatformLabel }>> => {
  const { proofId, record } = proof;
  const { providerId } = record;
  const owners = await ownersOf(providerId);
  if (!owners?.has(principal.id) && !hasRole(principal, 'engine')) {
    return reject('RESOURCE_NOT_FOUND', `no provider ${providerId}`, [
      { field: 'evidence.record.providerId', rule: 'a provider of yours' },
    ]);
  }
  // Evidence expires; that it held when this very command recorded it stays true.
  const [decided] = await store.findCommands(proofId, [commandId]);
  const [earlier] = decided?.events ?? [];
  if (decided && earlier && canonicalJson(earlier.data['proof']) === canonicalJson(proof))
    return ok({ position: decided.position, label: domainEventOf<ProofRecorded>(earlier).label });
  const known = await knownOf({ artifacts, meteringOf }, proof);
  if (!known.ok) return known;
  const at = now();
  const verdict = await verifyExecutionProof(proof, {
    roots,
    now: at,
    policy: { allowSimulated: !requireHardware },
    expected: { ...expected, ...known.value },
  });
  if (!verdict.valid) {
    const broken = verdict.reasons.filter((step) => !step.ok);
    return reject(
      'PROOF_VERIFICATION_FAILED',
      'the evidence does not verify',
      broken.map(({ step, code }) => ({ field: `evidence.${step}`, rule: code })),
    );
  }
  const label = verdict.platform;
  const [stored] = await store.readStream(proofId);
  if (stored && canonicalJson(stored.data['proof']) !== canonicalJson(proof)) {
    return reject('CONFLICT', 'another signature over this record is in the log already');
  }
  if (stored) return ok({ position: stored.position, label });
  const event: ProofRecorded = {
    type: 'proof.recorded',
    machineVersion: 1,
    proof,
    label,
    valid: true,
    steps: verdict.reasons,
    recordedAt: at,
  };
  const context = {
    occurredAt: at,
    actor: principal.id,
    correlationId: record.jobId ?? record.enclaveId,
    causationId: commandId,
    traceparent,
  };
  const appended = await store.append({
    stream: proofId,
    expectedRevision: NO_STREAM,
    events: [newEvent(event, context)],
    commands: [commandId],
  });
  if (appended.ok) return ok({ position: appended.position, label });
  const [first] = await store.readStream(proofId);
  if (!first) throw new Error(`a conflict on the empty stream ${proofId}`);
  return ok({ position: first.position, label });
};
