import type { VerificationStep } from '../../domain/enclave/events.ts';
import { canonicalJson } from '../../domain/json.ts';
import { agreedRuns } from '../../domain/proof/agreed-runs.ts';
import { hashOfJson, idOfRecord, rootOfJson } from '../../domain/proof/commit.ts';
import { canProve } from '../../domain/proof/error-budget.ts';
import { judgeCompliance, windowSeconds } from '../../domain/proof/sla.ts';
import {
  type SlaJudgement,
  type SlaProof,
  type SlaTerms,
  sampleStatement,
} from '../../domain/proof/sla-record.ts';
import { CLOCK_SKEW_MS, type Now, nowMs } from './clock.ts';
import { expectedSteps } from './expectations.ts';
import { type ObserverPolicy, observersVerdict } from './observers.ts';
import { signedBy } from './signed.ts';
import { isSlaProof } from './sla-shape.ts';
import { notChecked, stepOf, type Verdict } from './steps.ts';

export interface SlaProofContext {
  readonly now: Now;
  readonly policy?: ObserverPolicy;
  /** Terms that the proof must have. Who names the observers decides whose word counts. */
  readonly expected?: Partial<SlaTerms>;
}

export interface SlaProofVerdict {
  /** Whether the proof holds, whatever it proves: see `judgement`. */
  readonly valid: boolean;
  /** What the samples amount to, computed anew; null unless the proof holds. */
  readonly judgement: SlaJudgement | null;
  readonly reasons: readonly VerificationStep[];
}

const STEPS = ['id', 'terms', 'tree', 'signatures', 'window', 'judgement', 'time'];

const termsVerdict = (terms: SlaTerms, policy: ObserverPolicy): Verdict =>
  observersVerdict(terms, policy) ??
  (canProve(terms.availability, terms.periodSeconds) ? null : 'PERIOD_TOO_LONG');

const signaturesVerdict = ({ record: { terms }, reports }: SlaProof): Verdict => {
  const known = new Set(terms.observers.map(({ key }) => key));
  if (!reports.every(({ observer }) => known.has(observer))) return 'UNKNOWN_OBSERVER';
  const hash = hashOfJson(terms);
  const hold = reports.every((report) =>
    signedBy(report.observer, sampleStatement(hash, report), report.signature),
  );
  return hold ? null : 'BAD_SIGNATURE';
};

const timeVerdict = (terms: SlaTerms, now: number): Verdict =>
  Date.parse(terms.from) + windowSeconds(terms) * 1000 > now + CLOCK_SKEW_MS ? 'FROM_THE_FUTURE' : null;

/**
 * Verifies a proof of SLA compliance by value: the observers' signatures cover the terms and every beat of the window,
 * the tree commits to their reports, and the judgement follows from them. `proof` may be any JSON; what is not a proof is
 * invalid with code `MALFORMED`. Throws only on a `now` that is not an instant.
 */
export const verifySlaProof = (proof: unknown, context: SlaProofContext): SlaProofVerdict => {
  const now = nowMs(context.now);
  if (!isSlaProof(proof))
    return {
      valid: false,
      judgement: null,
      reasons: [stepOf('format', 'MALFORMED'), ...STEPS.map(notChecked)],
    };
  const { record, reports, proofId } = proof;
  const { terms } = record;
  const runs = agreedRuns(terms, reports);
  const judgement = runs && judgeCompliance(terms, runs);
  const judged = judgement && canonicalJson(judgement) === canonicalJson(record.judgement);
  const reasons = [
    stepOf('format', null),
    stepOf('id', proofId === idOfRecord(record) ? null : 'ID_MISMATCH'),
    stepOf('terms', termsVerdict(terms, context.policy ?? {})),
    stepOf('tree', record.merkleRoot === rootOfJson(reports) ? null : 'ROOT_MISMATCH'),
    stepOf('signatures', signaturesVerdict(proof)),
    stepOf('window', runs ? null : 'WINDOW_INCOMPLETE'),
    judgement ? stepOf('judgement', judged ? null : 'JUDGEMENT_MISMATCH') : notChecked('judgement'),
    stepOf('time', timeVerdict(terms, now)),
    ...expectedSteps(terms, context.expected ?? {}),
  ];
  const valid = reasons.every((step) => step.ok);
  return { valid, judgement: valid ? judgement : null, reasons };
};
