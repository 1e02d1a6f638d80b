import type { PlatformLabel, VerificationStep } from '../../../domain/enclave/events.ts';
import { ok, type Result } from '../../../domain/errors.ts';
import { domainEventOf, type RecordedEvent } from '../../../domain/event.ts';
import { equalsJson } from '../../../domain/json.ts';
import { hashOfJson } from '../../../domain/proof/commit.ts';
import type { ProofEvent } from '../../../domain/proof/events.ts';
import { isAvailabilityProof } from '../../../infra/verify/availability-shape.ts';
import type { AvailabilityProofVerdict, SlaProofVerdict } from '../../../infra/verify/index.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { trustedHeads } from './heads.ts';

/** The guide's three (R43). */
export const PROOF_TYPES = [
  'proof_of_execution',
  'proof_of_availability',
  'proof_of_sla_compliance',
] as const;

export type JudgeDependencies = Pick<
  RouteDependencies,
  'artifacts' | 'now' | 'requireHardware' | 'roots' | 'transparency' | 'verifier'
>;

export interface Judged {
  readonly valid: boolean;
  /** Who vouches for the enclave; null for types that no enclave makes. */
  readonly label: PlatformLabel | null;
  /** What a proof that rests on observers amounts to. */
  readonly judgement: AvailabilityProofVerdict['judgement'] | SlaProofVerdict['judgement'];
  readonly signatureValid: boolean;
  readonly steps: VerificationStep[];
  /** Whether it has the form of a proof at all. */
  readonly wellFormed: boolean;
}

/** Steps that check signatures, of each type. */
const SIGNATURE_STEPS: ReadonlySet<string> = new Set(['signature', 'signatures', 'answers', 'receipts']);

const judged = (
  { valid, reasons }: { readonly valid: boolean; readonly reasons: readonly VerificationStep[] },
  label: PlatformLabel | null,
  judgement: Judged['judgement'],
): Judged => ({
  valid,
  label,
  judgement,
  signatureValid: reasons.every(({ step, ok }) => ok || !SIGNATURE_STEPS.has(step)),
  steps: [...reasons],
  wellFormed: reasons.some(({ step, ok }) => step === 'format' && ok),
});

const typeOf = (proof: unknown): unknown => {
  const { record } = (proof ?? {}) as { readonly record?: unknown };
  return ((record ?? {}) as { readonly proofType?: unknown }).proofType;
};

/** Judges a proof of any type by value, in the principal's share of the thread that verifies. What names no other type is judged as one of execution, and found malformed. */
export const judgeProof = async (
  { now, requireHardware, roots, transparency, verifier }: JudgeDependencies,
  principal: string,
  proof: unknown,
  demands: { readonly allowSimulated: boolean; readonly inputHash?: string },
): Promise<Result<Judged>> => {
  const at = now();
  const expected: object = demands.inputHash === undefined ? {} : { inputHash: demands.inputHash };
  switch (typeOf(proof)) {
    case 'proof_of_sla_compliance': {
      const context = { now: at, expected };
      const verdict = await verifier.verify(principal, { kind: 'sla' as const, proof, context });
      return verdict.ok ? ok(judged(verdict.value, null, verdict.value.judgement)) : verdict;
    }
    case 'proof_of_availability': {
      const heads = isAvailabilityProof(proof) ? await trustedHeads(transparency, proof) : [];
      const context = { now: at, expected, heads };
      const verdict = await verifier.verify(principal, { kind: 'availability' as const, proof, context });
      return verdict.ok ? ok(judged(verdict.value, null, verdict.value.judgement)) : verdict;
    }
    default: {
      const policy = { allowSimulated: demands.allowSimulated && !requireHardware };
      const context = { roots, now: at, policy, expected };
      const verdict = await verifier.verify(principal, { kind: 'execution' as const, proof, context });
      return verdict.ok ? ok(judged(verdict.value, verdict.value.platform, null)) : verdict;
    }
  }
};

/** The proof that an event of a proof stream recorded: in the event, or in the artefact that it names. */
export const recordedProof = async (
  artifacts: RouteDependencies['artifacts'],
  recorded: RecordedEvent,
): Promise<unknown> => {
  const event = domainEventOf<ProofEvent>(recorded);
  if (event.type === 'proof.recorded') return event.proof;
  const bytes = await artifacts.read(event.evidence);
  if (!bytes) throw new Error(`the evidence of ${event.proofId} is gone`);
  return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
};

/** Whether the event recorded exactly this proof. */
export const isRecordOf = (recorded: RecordedEvent, proof: unknown, wellFormed: boolean): boolean => {
  const event = domainEventOf<ProofEvent>(recorded);
  return event.type === 'proof.recorded'
    ? equalsJson(event.proof, proof)
    : wellFormed && event.evidence === hashOfJson(proof);
};
