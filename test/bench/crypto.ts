import { logCases } from './cases/verify-log.ts';
import type { Suite } from './harness.ts';

/** Proofs and their verifiers beside the bare operations that they consist of. Where the unit is CPU ms, lower is better. */
export const suite: Suite = {
  name: 'crypto',
  open: async () => ({ cases: logCases(), close: async () => undefined }),
};
