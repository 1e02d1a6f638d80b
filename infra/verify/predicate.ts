import type { VerificationStep } from '../../domain/enclave/events.ts';
import type { AttributeSchema } from '../../domain/predicate/attributes.ts';
import { checkContext, contextTime, type PredicateContext } from '../../domain/predicate/context.ts';
import { checkIssuer, type IssuerKey } from '../../domain/predicate/issuer.ts';
import { readPredicate } from '../../domain/predicate/predicate.ts';
import { expectedInputs } from '../../domain/predicate/statement.ts';
import { type Now, nowMs } from './clock.ts';
import { MalformedError } from './der.ts';
import { keyHashOf } from './groth16/key.ts';
import { scalar } from './groth16/numbers.ts';
import { groth16Verdict } from './groth16/verify.ts';
import { notChecked, stepOf, type Verdict } from './steps.ts';

export interface PredicateInput {
  /** Proof, public inputs and verification key in the JSON form of snarkjs; any JSON is taken and refused in kind. */
  readonly proof: unknown;
  readonly publicInputs: unknown;
  readonly verificationKey: unknown;
  /** What the verifier wants to know, in its own words; nothing of it is taken from the proof. */
  readonly expected: {
    readonly predicate: string;
    readonly schema: AttributeSchema;
    readonly issuer: IssuerKey;
    readonly context: PredicateContext;
  };
  readonly now: Now;
}

export interface PredicateVerdict {
  readonly valid: boolean;
  /** Decimal; what must not have been seen before in this scope. Null unless the proof is valid. */
  readonly nullifier: string | null;
  readonly reasons: readonly VerificationStep[];
}

const STEPS = ['predicate', 'context', 'issuer', 'circuit', 'key', 'time', 'inputs', 'proof'] as const;

/** The inputs as numbers, or null when they are no list of field elements. */
const numbersOf = (publicInputs: unknown): readonly bigint[] | null => {
  try {
    return Array.isArray(publicInputs) ? publicInputs.map(scalar) : null;
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
};

const keyVerdict = (key: unknown, keyHash: string): Verdict => {
  try {
    return keyHashOf(key) === keyHash ? null : 'KEY_MISMATCH';
  } catch (error) {
    if (error instanceof MalformedError) return 'BAD_KEY';
    throw error;
  }
};

/**
 * Verifies a predicate proof: every public input is compared with what the verifier expects there, and then the proof
 * with the key. Single use is the caller's: a nullifier seen before in its scope, or a context used before, is a replay.
 * Throws only on a `now` that is not an instant.
 */
export const verifyPredicate = (input: PredicateInput): PredicateVerdict => {
  const { expected, verificationKey } = input;
  const now = nowMs(input.now);
  const { context, schema, issuer } = expected;
  const predicate = readPredicate(expected.predicate, schema);
  const formed = [
    stepOf('predicate', predicate.ok ? null : 'BAD_PREDICATE'),
    stepOf('context', checkContext(context) && 'BAD_CONTEXT'),
    stepOf('issuer', checkIssuer(issuer) && 'BAD_ISSUER'),
  ];
  if (!predicate.ok || formed.some(({ ok }) => !ok)) {
    return refused([...formed, ...STEPS.slice(formed.length).map(notChecked)]);
  }
  const time = contextTime(context, now);
  const numbers = numbersOf(input.publicInputs);
  const wanted = expectedInputs({ predicate: predicate.value, schema, issuer, context });
  const steps = [
    ...formed,
    stepOf('circuit', predicate.value.circuitId === context.circuitId ? null : 'CIRCUIT_MISMATCH'),
    stepOf('key', keyVerdict(verificationKey, context.keyHash)),
    stepOf('time', time === 'OK' ? null : time),
    stepOf('inputs', numbers?.length === wanted.length + 1 ? null : 'BAD_INPUTS'),
    ...wanted.map(({ name, value }, index) =>
      stepOf(`inputs.${name}`, numbers?.[index + 1] === value ? null : 'INPUT_MISMATCH'),
    ),
    stepOf('proof', groth16Verdict(verificationKey, input.publicInputs, input.proof)),
  ];
  return steps.every(({ ok }) => ok)
    ? { valid: true, nullifier: String(numbers?.[0]), reasons: steps }
    : refused(steps);
};

const refused = (reasons: readonly VerificationStep[]): PredicateVerdict => ({
  valid: false,
  nullifier: null,
  reasons,
});
