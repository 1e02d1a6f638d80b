import { describe, expect, it } from 'vitest';
import {
  type AttestationInput,
  type AttestationPolicy,
  INTEL_ROOTS,
  VENDOR_ROOTS,
  verifyAttestation,
} from '../../infra/verify/index.ts';
import { keyHashOf } from '../../infra/verify/x509/chain.ts';
import { ccaToken, keyPair, psaClaims, sign1 } from '../support/attestation/cose.ts';
import { type IntelFaults, simulatedIntel } from '../support/attestation/intel.ts';
import { type QuoteFacts, simulatedQuote } from '../support/attestation/quote.ts';
import { codesOf } from '../support/attestation/verdicts.ts';

/**
 * One acceptable piece of evidence of each format, and one per reason code with a single fault: each is refused with
 * exactly its own code. SEV-SNP's cases are beside its verifier.
 */
const NOW = '2026-03-01T12:00:00Z';
const LATER = '2026-05-01T12:00:00Z';
const NONCE = 'ab'.repeat(32);
const KEY = 'c0'.repeat(32);
const intel = simulatedIntel(NOW);
const stranger = simulatedIntel(NOW);
const reportDataHex = await (async () => {
  const bytes = Buffer.from(NONCE + KEY, 'hex');
  return Buffer.from(await crypto.subtle.digest('SHA-512', bytes));
})();

type Tee = 'sgx' | 'tdx';
const MEASUREMENT = { sgx: '11'.repeat(32), tdx: '22'.repeat(48) } as const;
const SIGNER = '33'.repeat(32);

interface Fault {
  readonly quote?: Partial<QuoteFacts>;
  readonly collateral?: IntelFaults;
  readonly policy?: AttestationPolicy;
  readonly now?: string;
  readonly expected?: object;
  readonly tee?: Tee;
  readonly verified: boolean;
}

const dcap = (tee: Tee, fault: Omit<Fault, 'verified'> = {}, of = intel): AttestationInput => ({
  format: `${tee}-dcap`,
  evidence: simulatedQuote(of, fault.tee ?? tee, {
    reportData: reportDataHex,
    measurement: MEASUREMENT[fault.tee ?? tee],
    mrSigner: SIGNER,
    isvSvn: 4,
    ...fault.quote,
  }),
  collateral: intel.collateral(tee, fault.collateral),
  now: fault.now ?? NOW,
  policy: {
    roots: intel.roots,
    allowSimulated: true,
    measurements: [MEASUREMENT[tee]],
    minimumTcbEvaluation: 17,
    ...(tee === 'sgx' && { signers: [SIGNER], minimumSvn: 4 }),
    ...fault.policy,
  },
  expected: { nonce: NONCE, key: KEY, ...fault.expected },
});

const COMMON: Readonly<Record<string, Fault>> = {
  UNKNOWN_ROOT: { policy: { roots: INTEL_ROOTS }, verified: false },
  EXPIRED: { now: '2028-01-01T00:00:00Z', collateral: { days: 1000 }, verified: false },
  REVOKED: { collateral: { revoked: 'pck' }, verified: false },
  CRL_BAD_SIGNATURE: { collateral: { forgedList: true }, verified: false },
  COLLATERAL_MISMATCH: { collateral: { fmspc: '00a067110000' }, verified: false },
  QE_BAD_SIGNATURE: { quote: { forgedQe: true }, verified: false },
  QE_KEY_MISMATCH: { quote: { otherKey: true }, verified: false },
  QE_MISMATCH: { collateral: { qeSigner: '66'.repeat(32) }, verified: false },
  BAD_SIGNATURE: { quote: { forged: true }, verified: false },
  TCB_UNKNOWN: { collateral: { leastSvn: 6 }, verified: true },
  TCB_OUT_OF_DATE: { collateral: { status: 'OutOfDate' }, verified: true },
  TCB_SW_HARDENING_NEEDED: { collateral: { status: 'SWHardeningNeeded' }, verified: true },
  TCB_CONFIGURATION_NEEDED: { collateral: { status: 'ConfigurationNeeded' }, verified: true },
  TCB_REVOKED: { collateral: { status: 'Revoked' }, policy: { tcbStatuses: ['Revoked'] }, verified: true },
  ADVISORY_NOT_ACCEPTED: { collateral: { advisories: ['INTEL-SA-00001'] }, verified: true },
  TCB_EVALUATION_TOO_OLD: { collateral: { evaluation: 16 }, verified: true },
  MEASUREMENT_MISMATCH: { expected: { measurement: '44'.repeat(32) }, verified: true },
  MEASUREMENT_NOT_ALLOWED: { policy: { measurements: ['55'.repeat(32)] }, verified: true },
  DEBUG_ALLOWED: { quote: { debug: true }, verified: true },
  REPORT_DATA_MISMATCH: { expected: { nonce: 'ac'.repeat(32) }, verified: true },
  SIMULATED_PLATFORM: { policy: { allowSimulated: false }, verified: true },
};

const OF_TEE: Readonly<Record<Tee, Readonly<Record<string, Fault>>>> = {
  sgx: {
    SIGNER_NOT_ALLOWED: { policy: { signers: [] }, verified: true },
    SVN_TOO_LOW: { policy: { minimumSvn: 5 }, verified: true },
    WRONG_FORMAT: { tee: 'tdx', verified: false },
  },
  tdx: {
    TD_ATTRIBUTES_UNSAFE: { quote: { bareAttributes: true }, verified: true },
    TD_MODULE_MISMATCH: { collateral: { moduleSigner: '77'.repeat(48) }, verified: false },
    RUNTIME_MEASUREMENT_MISMATCH: { expected: { runtimeMeasurements: ['88'.repeat(48)] }, verified: true },
    WRONG_FORMAT: { tee: 'sgx', verified: false },
  },
};

describe.each(['sgx', 'tdx'] as const)('tee.cases: %s', (tee) => {
  it('accepts the valid quote, and labels it by the root that verified it', async () => {
    expect(await verifyAttestation(dcap(tee))).toMatchObject({
      verified: true,
      acceptable: true,
      platform: 'simulated',
      tcb: { status: 'UpToDate', advisories: [] },
    });
  });

  it.each(Object.entries({ ...COMMON, ...OF_TEE[tee] }))('refuses with %s alone', async (code, fault) => {
    const verdict = await verifyAttestation(dcap(tee, fault));
    expect(codesOf(verdict)).toEqual([code]);
    expect(verdict).toMatchObject({ verified: fault.verified, acceptable: false });
  });

  it('refuses expired collateral with the code of each document and list', async () => {
    const verdict = await verifyAttestation(dcap(tee, { now: LATER }));
    expect(verdict.verified).toBe(false);
    expect(codesOf(verdict)).toEqual(['CRL_EXPIRED', 'TCB_INFO_EXPIRED', 'QE_IDENTITY_EXPIRED']);
  });

  it('refuses a document that its signer did not sign', async () => {
    for (const [member, code] of [
      ['tcb_info', 'TCB_INFO_BAD_SIGNATURE'],
      ['qe_identity', 'QE_IDENTITY_BAD_SIGNATURE'],
    ] as const) {
      const input = dcap(tee);
      const collateral = { ...intel.collateral(tee), [`${member}_signature`]: '01'.repeat(64) };
      expect(codesOf(await verifyAttestation({ ...input, collateral } as AttestationInput))).toEqual([code]);
    }
  });

  it('refuses a revoked authority and the quote of another authority', async () => {
    const revoked = await verifyAttestation(dcap(tee, { collateral: { revoked: 'authority' } }));
    expect(codesOf(revoked)).toEqual(['REVOKED']);
    expect(codesOf(await verifyAttestation(dcap(tee, {}, stranger)))).toContain('UNKNOWN_ROOT');
  });

  it('accepts a state and its advisories where policy does, and debugging where that is allowed', async () => {
    const stale = { collateral: { status: 'OutOfDate', advisories: ['INTEL-SA-00001'] } };
    const policy = { tcbStatuses: ['OutOfDate'], advisories: ['INTEL-SA-00001'] } as const;
    expect(codesOf(await verifyAttestation(dcap(tee, { ...stale, policy })))).toEqual([]);
    const debugged = { quote: { debug: true }, policy: { allowDebug: true } };
    expect(codesOf(await verifyAttestation(dcap(tee, debugged)))).toEqual([]);
    // A quoting enclave under debug is never Intel's: its key could be read.
    expect(codesOf(await verifyAttestation(dcap(tee, { quote: { qeDebug: true } })))).toEqual([
      'QE_MISMATCH',
    ]);
  });
});

describe('tee.cases: a simulated root', () => {
  const tokenKey = keyPair();
  const ccaKey = keyPair('P-384');
  const simulatedRoot = (spki: Uint8Array) =>
    ({ name: 'simulated', platform: 'simulated', keyHash: keyHashOf(spki) }) as const;
  const inputs: readonly AttestationInput[] = [
    dcap('sgx'),
    dcap('tdx'),
    {
      format: 'psa',
      evidence: sign1(psaClaims(reportDataHex), tokenKey),
      collateral: { key: tokenKey.spki },
      now: NOW,
      policy: { roots: [simulatedRoot(tokenKey.spki)] },
    },
    {
      format: 'cca',
      evidence: ccaToken(ccaKey, reportDataHex),
      collateral: { key: ccaKey.spki },
      now: NOW,
      policy: { roots: [simulatedRoot(ccaKey.spki)] },
    },
  ];

  it.each(inputs)('is refused for a production tier: $format', async (input) => {
    const roots = input.policy?.roots ?? [];
    const strict = { ...input, expected: { nonce: NONCE, key: KEY }, policy: { roots } };
    expect(await verifyAttestation(strict)).toMatchObject({
      verified: true,
      acceptable: false,
      platform: 'simulated',
    });
    expect(codesOf(await verifyAttestation(strict))).toEqual(['SIMULATED_PLATFORM']);
    const vendors = { ...strict, policy: { roots: VENDOR_ROOTS } };
    expect(codesOf(await verifyAttestation(vendors))).toEqual(['UNKNOWN_ROOT']);
  });
});

describe('tee.cases: what no verifier reads', () => {
  it('is refused with a code, never with an exception', async () => {
    const input = dcap('sgx');
    for (const [change, code] of [
      [{ format: 'other' }, 'UNSUPPORTED_FORMAT'],
      [{ format: 'toString' }, 'UNSUPPORTED_FORMAT'],
      [{ evidence: 'text' }, 'MALFORMED'],
      [{ evidence: undefined }, 'MALFORMED'],
      [{ collateral: undefined }, 'BAD_COLLATERAL'],
      [{ collateral: 'text' }, 'BAD_COLLATERAL'],
      [{ format: 'psa' }, 'MALFORMED'],
      [{ format: 'sev-snp' }, 'MALFORMED'],
    ] as const)
      expect(codesOf(await verifyAttestation({ ...input, ...change } as never))).toEqual([code]);
  });
});
