import { attestationCases } from './cases/attestation.ts';
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
    const attestation = await attestationCases();
    return {
      cases: [...logCases(), ...ecvrfCases(), ...neighbourCases(), ...attestation.cases, ...zk.cases],
      close: async () => {
        await attestation.close();
        await zk.close();
      },
    };
  },
};
