import type { VerificationStep } from '../../domain/enclave/events.ts';
import { canonicalJson } from '../../domain/json.ts';
import { stepOf } from './steps.ts';

/** One step `expected.<name>` for each fact that the verifier demands; absent ones are not demanded. */
export const expectedSteps = (facts: object, expected: object): VerificationStep[] =>
  Object.entries(expected).flatMap(([name, demanded]) => {
    if (demanded === undefined) return [];
    const fact = Object.entries(facts).find(([known]) => known === name)?.[1];
    const holds = fact !== undefined && canonicalJson(demanded) === canonicalJson(fact);
    return stepOf(`expected.${name}`, holds ? null : 'EXPECTATION_MISMATCH');
  });
