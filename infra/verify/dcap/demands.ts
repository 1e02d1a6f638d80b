import type { VerificationStep } from '../../../domain/enclave/events.ts';
import { measurementStep, reportDataStep, runtimeStep, signerStep } from '../demands.ts';
import type { AttestationExpectation, AttestationPolicy } from '../policy.ts';
import { notChecked, notExpected, stepOf } from '../steps.ts';
import type { PckFacts } from './pck.ts';
import { type QeIdentity, qeTcb } from './qe-identity.ts';
import { type Quote, SGX_REPORT, TD_REPORT } from './quote.ts';
import { platformTcb, type TcbInfo } from './tcb-info.ts';
import { converge, TCB_CODES, type TcbVerdict } from './tcb-status.ts';

/** What policy judges. */
interface Judged {
  readonly quote: Quote;
  readonly pck: PckFacts;
  readonly info: TcbInfo;
  readonly identity: QeIdentity;
}

const TCB_STEPS = ['tcb', 'advisories', 'tcb-evaluation'];
/** Names of the steps, for verdicts on what could not be read. */
export const DEMAND_STEPS: Readonly<Record<Quote['tee'], readonly string[]>> = {
  sgx: [...TCB_STEPS, 'measurement', 'signer', 'svn', 'debug', 'report-data'],
  tdx: [...TCB_STEPS, 'measurement', 'runtime-measurements', 'td-attributes', 'debug', 'report-data'],
};

/** A state that policy accepts keeps its code, so that the result still tells it. */
const tcbStep = (verdict: TcbVerdict | null, { tcbStatuses = [] }: AttestationPolicy): VerificationStep => {
  if (!verdict) return stepOf('tcb', 'TCB_UNKNOWN');
  const { status } = verdict;
  const accepted = status !== 'Revoked' && (status === 'UpToDate' || tcbStatuses.includes(status));
  return { step: 'tcb', ok: accepted, code: TCB_CODES[status] };
};

const advisoriesStep = (
  verdict: TcbVerdict | null,
  { advisories = [] }: AttestationPolicy,
): VerificationStep => {
  if (!verdict) return notChecked('advisories');
  const open = verdict.advisories.some((advisory) => !advisories.includes(advisory));
  return stepOf('advisories', open ? 'ADVISORY_NOT_ACCEPTED' : null);
};

const evaluationStep = (
  { info, identity }: Judged,
  { minimumTcbEvaluation }: AttestationPolicy,
): VerificationStep => {
  if (minimumTcbEvaluation === undefined) return notExpected('tcb-evaluation');
  const oldest = Math.min(info.evaluation, identity.evaluation);
  return stepOf('tcb-evaluation', oldest < minimumTcbEvaluation ? 'TCB_EVALUATION_TOO_OLD' : null);
};

/** Tables of another TEE say nothing about this one; the steps on the collateral tell so. */
const fits = ({ quote, info, identity }: Judged): boolean =>
  info.tee === quote.tee && identity.tee === quote.tee;

/** State of the platform and its quoting enclave together; null when a table has no level for it. */
export const tcbOf = (judged: Judged): TcbVerdict | null => {
  const { quote, info, identity, pck } = judged;
  if (!fits(judged)) return null;
  return converge([platformTcb(info, quote, pck), qeTcb(quote.qeReport, identity)]);
};

const tcbSteps = (
  judged: Judged,
  verdict: TcbVerdict | null,
  policy: AttestationPolicy,
): VerificationStep[] => {
  if (!fits(judged)) return TCB_STEPS.map(notChecked);
  return [tcbStep(verdict, policy), advisoriesStep(verdict, policy), evaluationStep(judged, policy)];
};

const SGX_DEBUG = 0x02;
/** The whole first byte of TD attributes (TUD) is about guests under debug. */
const TD_DEBUG_BYTE = 0;
/** Bit 28, SEPT_VE_DISABLE: without it the host can inject exceptions at will. */
const SEPT_VE_DISABLE = { byte: 3, bit: 0x10 } as const;
/** Attribute bits that have no meaning yet, or only for debugging; the guest must not have them. */
const TD_RESERVED = Uint8Array.of(0x00, 0xff, 0xff, 0x2f, 0xff, 0xff, 0xff, 0x7f);

const debugStep = (debuggable: boolean, { allowDebug }: AttestationPolicy): VerificationStep =>
  stepOf('debug', debuggable && !allowDebug ? 'DEBUG_ALLOWED' : null);

const sgxSteps = (
  report: Uint8Array,
  policy: AttestationPolicy,
  expected: AttestationExpectation,
): VerificationStep[] => {
  const field = (at: number, size: number): Uint8Array => report.subarray(at, at + size);
  const [low = 0, high = 0] = field(SGX_REPORT.isvSvn, 2);
  const svn = low | (high << 8);
  const { minimumSvn } = policy;
  return [
    measurementStep([field(SGX_REPORT.mrEnclave, 32)], policy, expected),
    signerStep([field(SGX_REPORT.mrSigner, 32)], policy),
    minimumSvn === undefined ? notExpected('svn') : stepOf('svn', svn < minimumSvn ? 'SVN_TOO_LOW' : null),
    debugStep(((report[SGX_REPORT.attributes] ?? 0) & SGX_DEBUG) !== 0, policy),
    reportDataStep(field(SGX_REPORT.reportData, 64), expected),
  ];
};

const tdxSteps = (
  report: Uint8Array,
  policy: AttestationPolicy,
  expected: AttestationExpectation,
): VerificationStep[] => {
  const field = (at: number, size: number): Uint8Array => report.subarray(at, at + size);
  const attributes = field(TD_REPORT.tdAttributes, 8);
  const registers = [0, 1, 2, 3].map((index) => field(TD_REPORT.rtmr0 + index * 48, 48));
  const safe =
    ((attributes[SEPT_VE_DISABLE.byte] ?? 0) & SEPT_VE_DISABLE.bit) !== 0 &&
    TD_RESERVED.every((mask, index) => ((attributes[index] ?? 0) & mask) === 0) &&
    // A service TD bound to the guest, in the longer report only, could migrate or read it.
    report.subarray(TD_REPORT.mrServiceTd).every((byte) => byte === 0);
  return [
    measurementStep([field(TD_REPORT.mrTd, 48)], policy, expected),
    runtimeStep(registers, expected),
    stepOf('td-attributes', safe ? null : 'TD_ATTRIBUTES_UNSAFE'),
    debugStep((attributes[TD_DEBUG_BYTE] ?? 0) !== 0, policy),
    reportDataStep(field(TD_REPORT.reportData, 64), expected),
  ];
};

/** Everything that policy and expectation say of a quote. */
export const demandSteps = (
  judged: Judged,
  tcb: TcbVerdict | null,
  policy: AttestationPolicy,
  expected: AttestationExpectation,
): VerificationStep[] => {
  const { tee, report } = judged.quote;
  const ofTee = tee === 'sgx' ? sgxSteps(report, policy, expected) : tdxSteps(report, policy, expected);
  return [...tcbSteps(judged, tcb, policy), ...ofTee];
};
