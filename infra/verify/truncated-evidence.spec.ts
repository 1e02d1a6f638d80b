import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ccaToken, keyPair, psaClaims, sign1 } from '../../test/support/attestation/cose.ts';
import { simulatedIntel } from '../../test/support/attestation/intel.ts';
import { simulatedQuote } from '../../test/support/attestation/quote.ts';
import { codesOf } from '../../test/support/attestation/verdicts.ts';
import { simulatedMachine } from '../../test/workloads/simulated-machine.ts';
import { ATTESTATION_FORMATS, type AttestationInput, verifyAttestation } from './index.ts';

const NOW = '2026-03-01T12:00:00Z';
const DATA = new Uint8Array(64).fill(7);

const machine = simulatedMachine('2026-01-01T00:00:00.000Z');
const intel = simulatedIntel(NOW);
const [psaKey, ccaKey] = [keyPair(), keyPair('P-384')];
const { report, certificates } = await machine.platform.quote({
  measurement: '11'.repeat(48),
  reportData: DATA,
});
const [vcek = new Uint8Array(), ...chain] = certificates;

/** Evidence of every format, without a vector from elsewhere: genuine under roots made here. */
const EVIDENCE: readonly AttestationInput[] = [
  {
    format: 'sev-snp',
    evidence: report,
    collateral: { vcek, chain },
    now: NOW,
    policy: { roots: machine.roots },
  },
  ...(['sgx', 'tdx'] as const).map(
    (tee): AttestationInput => ({
      format: `${tee}-dcap`,
      evidence: simulatedQuote(intel, tee, {
        reportData: DATA,
        measurement: '11'.repeat(tee === 'sgx' ? 32 : 48),
      }),
      collateral: intel.collateral(tee),
      now: NOW,
      policy: { roots: intel.roots },
    }),
  ),
  { format: 'psa', evidence: sign1(psaClaims(DATA), psaKey), collateral: { key: psaKey.spki }, now: NOW },
  { format: 'cca', evidence: ccaToken(ccaKey, DATA), collateral: { key: ccaKey.spki }, now: NOW },
];

/** Whether it is the evidence, with nothing but zeros behind it: quotes come in buffers that are too long. */
const isPadded = (bytes: Uint8Array, evidence: Uint8Array): boolean =>
  bytes.length >= evidence.length &&
  Buffer.compare(bytes.subarray(0, evidence.length), evidence) === 0 &&
  bytes.subarray(evidence.length).every((byte) => byte === 0);

describe('evidence that was cut off', () => {
  it('is made here in every format', async () => {
    expect(EVIDENCE.map(({ format }) => format)).toEqual([...ATTESTATION_FORMATS]);
    for (const input of EVIDENCE)
      expect(await verifyAttestation(input), input.format).toMatchObject({ verified: true });
  });

  it.each(EVIDENCE)('is malformed at every length: $format', async (input) => {
    for (let length = 0; length < input.evidence.length; length++) {
      const verdict = await verifyAttestation({ ...input, evidence: input.evidence.subarray(0, length) });
      expect(verdict).toMatchObject({ verified: false, acceptable: false });
      expect(codesOf(verdict)).toEqual(['MALFORMED']);
    }
  });

  it.each(EVIDENCE)('is refused with any other end, and never with an exception: $format', async (input) => {
    const { evidence } = input;
    const property = fc.asyncProperty(
      fc.nat(evidence.length - 1),
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      async (length, end) => {
        const other = Buffer.concat([evidence.subarray(0, length), end]);
        fc.pre(!isPadded(other, evidence));
        const verdict = await verifyAttestation({ ...input, evidence: other });
        expect(verdict).toMatchObject({ verified: false, acceptable: false });
        expect(codesOf(verdict)).not.toEqual([]);
      },
    );
    await fc.assert(property);
  });
});
