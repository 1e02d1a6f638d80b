import {
  type AvailabilityProofContext,
  type AvailabilityProofVerdict,
  type ProofContext,
  type ProofVerdict,
  type SlaProofContext,
  type SlaProofVerdict,
  verifyAvailabilityProof,
  verifyExecutionProof,
  verifySlaProof,
} from '../verify/index.ts';

/** A proof to verify by value; it may be any JSON. */
export type Question =
  | { readonly kind: 'execution'; readonly proof: unknown; readonly context: ProofContext }
  | { readonly kind: 'availability'; readonly proof: unknown; readonly context: AvailabilityProofContext }
  | { readonly kind: 'sla'; readonly proof: unknown; readonly context: SlaProofContext };

export interface Verdicts {
  readonly execution: ProofVerdict;
  readonly availability: AvailabilityProofVerdict;
  readonly sla: SlaProofVerdict;
}

/** The verdict on `question`. */
export const verdictOn = async (question: Question): Promise<Verdicts[Question['kind']]> => {
  switch (question.kind) {
    case 'execution':
      return verifyExecutionProof(question.proof, question.context);
    case 'availability':
      return verifyAvailabilityProof(question.proof, question.context);
    case 'sla':
      return verifySlaProof(question.proof, question.context);
  }
};

/** An attestation with its certificates costs about as much as so many signatures of observers. */
const EXECUTION_COST = 3;

const lengthOf = (value: unknown): number => (Array.isArray(value) ? value.length : 0);

/** Signatures that a verdict checks at most: what it costs, before anything of the proof is believed. */
export const costOf = ({ kind, proof }: Question): number => {
  if (kind === 'execution') return EXECUTION_COST;
  const { reports, rounds } = (proof ?? {}) as { readonly reports?: unknown; readonly rounds?: unknown };
  if (kind === 'sla') return 1 + lengthOf(reports);
  const each = (Array.isArray(rounds) ? rounds : []) as ({ readonly receipts?: unknown } | null)[];
  return each.reduce((sum, round) => sum + 1 + lengthOf(round?.receipts), 1);
};
