import { bytesToHex } from '@noble/hashes/utils.js';
import type { PlatformLabel, VerificationStep } from '../../../domain/enclave/events.ts';
import { reportData } from '../../../domain/enclave/measurement.ts';
import { equalBytes } from '../bytes.ts';
import { type Now, nowMs } from '../clock.ts';
import { MalformedError } from '../der.ts';
import type { AttestationExpectation, AttestationPolicy } from '../policy.ts';
import { AMD_ROOTS, type TrustedRoot } from '../roots.ts';
import { notChecked, notExpected, stepOf, type Verdict } from '../steps.ts';
import { verifyP384 } from '../x509/signature.ts';
import { chainHolds, parseChain, rootOf, type SnpChain, type SnpCollateral } from './chain.ts';
import { chipMatches, tcbMatches } from './chip.ts';
import { DEBUG_BIT, parseSnpReport, type SnpReport } from './report.ts';

export interface AttestationVerdict {
  /** The report is genuine: a pinned root vouches, at `now`, for the key that signed it. */
  readonly verified: boolean;
  /** It is verified, and policy and expectation agree. */
  readonly acceptable: boolean;
  /** Decided by the root that verified it; `simulated` when none did. */
  readonly platform: PlatformLabel;
  readonly reasons: readonly VerificationStep[];
}

export interface SnpInput {
  readonly evidence: Uint8Array;
  readonly collateral: SnpCollateral;
  readonly now: Now;
  readonly policy?: AttestationPolicy | undefined;
  readonly expected?: AttestationExpectation | undefined;
}

/** Every step after `format`: up to `signature` they tell whether the report is genuine, the rest is policy. */
const STEPS = [
  'chain',
  'validity',
  'chip',
  'tcb',
  'signature',
  'measurement',
  'debug',
  'vmpl',
  'report-data',
  'platform',
] as const;

/** Runs a check of foreign bytes: what cannot be parsed fails under `code`, a bug of ours still throws. */
const parsed = async <T>(check: () => T | Promise<T>): Promise<T | null> => {
  try {
    return await check();
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
};

const chainVerdict = async (chain: SnpChain, root: TrustedRoot | undefined): Promise<Verdict> => {
  if (!root) return 'UNKNOWN_ROOT';
  return (await parsed(() => chainHolds(chain))) ? null : 'BAD_CHAIN';
};

const validityVerdict = (chain: SnpChain, ms: number): Verdict => {
  if (chain.some((certificate) => ms < certificate.notBefore)) return 'NOT_YET_VALID';
  return chain.some((certificate) => ms > certificate.notAfter) ? 'EXPIRED' : null;
};

const genuineSteps = async (
  report: SnpReport,
  chain: SnpChain,
  root: TrustedRoot | undefined,
  ms: number,
): Promise<VerificationStep[]> => {
  const [vcek] = chain;
  const [chainCode, signed, tcb] = await Promise.all([
    chainVerdict(chain, root),
    verifyP384(vcek.publicKey, report.signature, report.signed),
    parsed(() => tcbMatches(report, vcek, root?.tcbLayout ?? 'milan')),
  ]);
  return [
    stepOf('chain', chainCode),
    stepOf('validity', validityVerdict(chain, ms)),
    stepOf('chip', chipMatches(report, vcek) ? null : 'CHIP_ID_MISMATCH'),
    stepOf('tcb', tcb ? null : 'TCB_MISMATCH'),
    stepOf('signature', signed ? null : 'BAD_SIGNATURE'),
  ];
};

const measurementStep = (report: SnpReport, policy: AttestationPolicy, expected: AttestationExpectation) => {
  const found = bytesToHex(report.measurement);
  if (expected.measurement === undefined && policy.measurements === undefined)
    return notExpected('measurement');
  const wanted = expected.measurement === undefined || expected.measurement === found;
  const listed = policy.measurements === undefined || policy.measurements.includes(found);
  return stepOf('measurement', wanted ? (listed ? null : 'MEASUREMENT_NOT_ALLOWED') : 'MEASUREMENT_MISMATCH');
};

const HEX32 = /^[0-9a-f]{64}$/;

/** null: nothing demanded; undefined: demanded, but not well-formed, so nothing can meet it. */
const demandedData = ({
  reportData: data,
  nonce,
  key,
}: AttestationExpectation): Uint8Array | null | undefined => {
  if (data !== undefined) return data;
  if (nonce === undefined && key === undefined) return null;
  if (!HEX32.test(nonce ?? '') || !HEX32.test(key ?? '')) return undefined;
  return reportData(nonce as string, key as string);
};

const reportDataStep = (report: SnpReport, expected: AttestationExpectation): VerificationStep => {
  const demanded = demandedData(expected);
  if (demanded === null) return notExpected('report-data');
  const holds = demanded !== undefined && equalBytes(demanded, report.reportData);
  return stepOf('report-data', holds ? null : 'REPORT_DATA_MISMATCH');
};

/**
 * Verifies an AMD SEV-SNP attestation report against its certificates. Pure: clock and trust store are arguments, the
 * network is never used. Malformed input is a verdict with code `MALFORMED` or `BAD_COLLATERAL`, not an exception.
 */
export const verifySnp = async (input: SnpInput): Promise<AttestationVerdict> => {
  const policy = input.policy ?? {};
  const expected = input.expected ?? {};
  const ms = nowMs(input.now);
  const report = await parsed(() => parseSnpReport(input.evidence));
  const chain = await parsed(() => parseChain(input.collateral));
  if (!report || !chain) return unreadable(report === null ? 'MALFORMED' : 'BAD_COLLATERAL');

  const root = rootOf(chain, policy.roots ?? AMD_ROOTS);
  const genuine = [stepOf('format', null), ...(await genuineSteps(report, chain, root, ms))];
  const verified = genuine.every((step) => step.ok);
  const platform: PlatformLabel = verified && root ? root.platform : 'simulated';
  const debuggable = ((report.policy >> DEBUG_BIT) & 1n) === 1n;
  const simulatedRefused = platform === 'simulated' && !policy.allowSimulated;
  const reasons = [
    ...genuine,
    measurementStep(report, policy, expected),
    stepOf('debug', debuggable && !policy.allowDebug ? 'DEBUG_ALLOWED' : null),
    stepOf('vmpl', report.vmpl > (policy.maximumVmpl ?? 0) ? 'VMPL_TOO_HIGH' : null),
    reportDataStep(report, expected),
    verified ? stepOf('platform', simulatedRefused ? 'SIMULATED_PLATFORM' : null) : notChecked('platform'),
  ];
  return { verified, acceptable: reasons.every((step) => step.ok), platform, reasons };
};

const unreadable = (code: string): AttestationVerdict => ({
  verified: false,
  acceptable: false,
  platform: 'simulated',
  reasons: [stepOf('format', code), ...STEPS.map(notChecked)],
});
