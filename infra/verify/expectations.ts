import type { VerificationStep } from '../../domain/enclave/events.ts';
import { canonicalJson } from '../../domain/json.ts';
import { stepOf } from './steps.ts';

/** One step `expected.<name>` for each fact that the verifier demands; absent ones are not demanded. */
export const expectedSteps = (facts: object, expected: object): VerificationStep[] =>
  Object.entries(expected).flatMap(([name, demanded]) =>
    demanded === undefined
      ? []
      : stepOf(
          `expected.${name}`,
          canonicalJson(demanded) === canonicalJson((facts as Record<string, unknown>)[name])
            ? null
            : 'EXPECTATION_MISMATCH',
        ),
  );
