import type { z } from 'zod';
import { type Rejection, reject } from '../../../domain/errors.ts';
import type { PredicateContext } from '../../../domain/predicate/context.ts';
import { checkIssuer } from '../../../domain/predicate/issuer.ts';
import { readPredicate } from '../../../domain/predicate/predicate.ts';
import type { proofSchema, publicInputsSchema } from '../../../domain/predicate/schema.ts';
import type { SetupLabel } from '../../../domain/predicate/transcript.ts';
import { type PredicateVerdict, verifyPredicate } from '../../../infra/verify/index.ts';
import type { PublishedKeys } from '../../../infra/zk/published-keys.ts';
import { type ContextInput, contextOf } from './fields.ts';

export interface ClaimedProof {
  readonly circuit_id: string;
  readonly proof: z.output<typeof proofSchema>;
  readonly public_inputs: z.output<typeof publicInputsSchema>;
  readonly context: ContextInput;
}

export interface Judgement {
  readonly ok: true;
  readonly verdict: PredicateVerdict;
  readonly context: PredicateContext;
  /** How the key came about by which the proof was judged. */
  readonly setup: SetupLabel;
}

/** The first step that failed, as a word: `expired`, `input_mismatch`, `bad_proof`, … */
export const reasonOf = ({ reasons }: PredicateVerdict): string | undefined =>
  reasons.find(({ ok }) => !ok)?.code.toLowerCase();

/**
 * Verifies one proof against what its verifier wants to know. A circuit without key, or a statement that cannot be one,
 * is a refusal; whatever is wrong with the proof is a verdict. `field` names the claim in refusals.
 */
export const judgeProof = async (
  keys: PublishedKeys,
  claimed: ClaimedProof,
  { verifier, now, field }: { readonly verifier: string; readonly now: string; readonly field: string },
): Promise<Judgement | Rejection> => {
  const found = await keys.find(claimed.circuit_id);
  if (!found) {
    return reject('RESOURCE_NOT_FOUND', 'no such circuit', [
      { field: `${field}circuit_id`, rule: 'one that was submitted as a predicate' },
    ]);
  }
  const { key } = found.circuit;
  if (!key) {
    return reject('CONFLICT', `the circuit is ${found.state}`, [
      { field: `${field}circuit_id`, rule: 'a circuit with a key' },
    ]);
  }
  const { predicate, schema, issuer } = claimed.context;
  const read = readPredicate(predicate, schema);
  const unusable = read.ok ? checkIssuer(issuer) : read;
  if (unusable) {
    const errors = unusable.errors?.map((each) => ({ ...each, field: `${field}context.${each.field}` }));
    return reject(unusable.code, unusable.message, errors);
  }
  const context = contextOf(claimed.context, verifier, claimed.circuit_id, key.transcript.keyHash);
  const verdict = verifyPredicate({
    proof: claimed.proof,
    publicInputs: claimed.public_inputs,
    verificationKey: key.verificationKey,
    expected: { predicate, schema, issuer, context },
    now,
  });
  return { ok: true, verdict, context, setup: key.transcript.setup };
};
