import type { PredicateInput } from '../../../infra/verify/index.ts';
import sample from './sample-proof.json' with { type: 'json' };

/** A proof made once with a key of this project, for tests that only verify. Do not trust the key elsewhere. */
export const SAMPLE = sample as Omit<PredicateInput, 'now'> & {
  readonly publicInputs: readonly string[];
  readonly proof: {
    readonly pi_a: readonly string[];
    readonly pi_b: readonly (readonly string[])[];
    readonly pi_c: readonly string[];
  };
  readonly verificationKey: Readonly<Record<string, unknown>>;
};

/** An instant at which its context is open. */
export const SAMPLE_NOW = '2026-01-01T00:10:00.000Z';
