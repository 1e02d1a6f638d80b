import { ecvrfCases } from './cases/ecvrf.ts';
import { neighbourCases } from './cases/neighbours.ts';
import { logCases } from './cases/verify-log.ts';
import { zkCases } from './cases/zk.ts';
import type { Suite } from './harness.ts';

/** Proofs and their verifiers beside the bare operations that they consist of. Where the unit is CPU ms, lower is better. */
export const suite: Suite = {
  name: 'crypto',
  open: async () => {
    const zk = zkCases();
    return { cases: [...logCases(), ...ecvrfCases(), ...neighbourCases(), ...zk.cases], close: zk.close };
  },
};
