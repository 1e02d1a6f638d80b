import type { VerificationStep } from '../../../domain/enclave/events.ts';
import { type Now, nowMs } from '../clock.ts';
import { measurementStep, reportDataStep } from '../demands.ts';
import type { AttestationExpectation, AttestationPolicy } from '../policy.ts';
import { rootsFor, type TrustedRoot } from '../roots.ts';
import { notExpected, stepOf, type Verdict } from '../steps.ts';
import { type AttestationVerdict, parsed, unreadable, verdictOf } from '../verdict.ts';
import { chainHolds, rootOf, validityVerdict } from '../x509/chain.ts';
import { isListOf, revocationVerdict } from '../x509/crl.ts';
import { verifyEcdsa } from '../x509/ecdsa.ts';
import { parseCollateral, type SnpAuthorities, type SnpChain, type SnpCollateral } from './chain.ts';
import { chipMatches, tcbMatches, tcbReaches } from './chip.ts';
import { DEBUG_BIT, parseSnpReport, type SnpReport } from './report.ts';

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
  'revocation',
  'chip',
  'tcb',
  'signature',
  'measurement',
  'svn',
  'debug',
  'vmpl',
  'report-data',
  'platform',
] as const;

const chainVerdict = async (chain: SnpChain, root: TrustedRoot | undefined): Promise<Verdict> => {
  if (!root) return 'UNKNOWN_ROOT';
  return (await parsed(() => chainHolds(chain))) ? null : 'BAD_CHAIN';
};

const revocationStep = async ({ chain, crl }: SnpAuthorities, ms: number): Promise<VerificationStep> => {
  if (!crl) return notExpected('revocation');
  const [vcek, ask, ark] = chain;
  if (!isListOf(crl, ark)) return stepOf('revocation', 'COLLATERAL_MISMATCH');
  const verdict = await parsed(async () => ({ code: await revocationVerdict(crl, ark, [vcek, ask], ms) }));
  return stepOf('revocation', verdict ? verdict.code : 'CRL_BAD_SIGNATURE');
};

const genuineSteps = async (
  report: SnpReport,
  authorities: SnpAuthorities,
  root: TrustedRoot | undefined,
  ms: number,
): Promise<VerificationStep[]> => {
  const { chain } = authorities;
  const [vcek] = chain;
  const [chainCode, revocation, signed, tcb] = await Promise.all([
    chainVerdict(chain, root),
    revocationStep(authorities, ms),
    verifyEcdsa('P-384', vcek.publicKey, report.signature, report.signed),
    parsed(() => tcbMatches(report, vcek, root?.tcbLayout ?? 'milan')),
  ]);
  return [
    stepOf('format', null),
    stepOf('chain', chainCode),
    stepOf('validity', validityVerdict(chain, ms)),
    revocation,
    stepOf('chip', chipMatches(report, vcek) ? null : 'CHIP_ID_MISMATCH'),
    stepOf('tcb', tcb ? null : 'TCB_MISMATCH'),
    stepOf('signature', signed ? null : 'BAD_SIGNATURE'),
  ];
};

const svnStep = (
  report: SnpReport,
  { minimumTcb }: AttestationPolicy,
  root: TrustedRoot | undefined,
): VerificationStep => {
  if (minimumTcb === undefined) return notExpected('svn');
  const reached = tcbReaches(report, minimumTcb, root?.tcbLayout ?? 'milan');
  return stepOf('svn', reached ? null : 'SVN_TOO_LOW');
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
  const authorities = await parsed(() => parseCollateral(input.collateral));
  if (!report || !authorities) return unreadable(report === null ? 'MALFORMED' : 'BAD_COLLATERAL', STEPS);

  const root = rootOf(authorities.chain, rootsFor('sev-snp', policy.roots));
  const debuggable = ((report.policy >> DEBUG_BIT) & 1n) === 1n;
  const demands = [
    measurementStep([report.measurement], policy, expected),
    svnStep(report, policy, root),
    stepOf('debug', debuggable && !policy.allowDebug ? 'DEBUG_ALLOWED' : null),
    stepOf('vmpl', report.vmpl > (policy.maximumVmpl ?? 0) ? 'VMPL_TOO_HIGH' : null),
    reportDataStep(report.reportData, expected),
  ];
  return verdictOf(await genuineSteps(report, authorities, root, ms), demands, root, policy);
};
