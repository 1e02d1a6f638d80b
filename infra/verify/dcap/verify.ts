import type { VerificationStep } from '../../../domain/enclave/events.ts';
import { equalBytes } from '../bytes.ts';
import { type Now, nowMs } from '../clock.ts';
import type { AttestationExpectation, AttestationPolicy } from '../policy.ts';
import { rootsFor, type TrustedRoot } from '../roots.ts';
import { stepOf, type Verdict } from '../steps.ts';
import { type AttestationVerdict, parsed, unreadable, verdictOf } from '../verdict.ts';
import { type Certificate } from '../x509/certificate.ts';
import { chainHolds, rootOf, validityVerdict } from '../x509/chain.ts';
import { isListOf, type RevocationList, revocationVerdict } from '../x509/crl.ts';
import { verifyEcdsa } from '../x509/ecdsa.ts';
import {
  type DcapCollateral,
  type ParsedCollateral,
  parseDcapCollateral,
  type SignedDocument,
} from './collateral.ts';
import { DEMAND_STEPS, demandSteps, tcbOf } from './demands.ts';
import { type PckFacts, pckFactsOf } from './pck.ts';
import { parsePemChain } from './pem-chain.ts';
import { isQuotingEnclave, parseQeIdentity, type QeIdentity, vouchesForKey } from './qe-identity.ts';
import { parseQuote, type Quote } from './quote.ts';
import { isAbout, isGenuineModule, parseTcbInfo, type TcbInfo } from './tcb-info.ts';

export interface DcapInput {
  readonly format: 'sgx-dcap' | 'tdx-dcap';
  readonly evidence: Uint8Array;
  readonly collateral: DcapCollateral;
  readonly now: Now;
  readonly policy?: AttestationPolicy | undefined;
  readonly expected?: AttestationExpectation | undefined;
}

type PckChain = readonly [pck: Certificate, authority: Certificate, root: Certificate];

/** Everything that verification reads, parsed. */
interface Subject extends ParsedCollateral {
  readonly quote: Quote;
  readonly chain: PckChain;
  readonly pck: PckFacts;
  readonly info: TcbInfo;
  readonly identity: QeIdentity;
  readonly ms: number;
}

/** Steps after `format` that tell whether the quote is genuine. */
const GENUINE_STEPS = [
  'chain',
  'validity',
  'revocation',
  'tcb-info',
  'qe-identity',
  'qe',
  'signature',
] as const;

const POINT = Uint8Array.of(0x04);

const verifyP256 = (key: Uint8Array, signature: Uint8Array, data: Uint8Array): Promise<boolean> =>
  verifyEcdsa('P-256', key, signature, data);

const chainVerdict = async (
  { chain, tcbInfo, qeIdentity }: Subject,
  root: TrustedRoot | undefined,
): Promise<Verdict> => {
  if (!root) return 'UNKNOWN_ROOT';
  // One root for all: the collateral's signers are Intel's only under the same key.
  const sameRoot = [tcbInfo, qeIdentity].every((each) =>
    equalBytes(each.chain[1].publicKey, chain[2].publicKey),
  );
  if (!sameRoot) return 'UNKNOWN_ROOT';
  const holding = await parsed(() => Promise.all([chain, tcbInfo.chain, qeIdentity.chain].map(chainHolds)));
  return holding?.every(Boolean) ? null : 'BAD_CHAIN';
};

const listVerdict = async (
  list: RevocationList,
  authority: Certificate,
  certificates: readonly Certificate[],
  ms: number,
): Promise<Verdict> => {
  if (!isListOf(list, authority)) return 'COLLATERAL_MISMATCH';
  const verdict = await parsed(async () => ({
    code: await revocationVerdict(list, authority, certificates, ms),
  }));
  return verdict ? verdict.code : 'CRL_BAD_SIGNATURE';
};

const revocationOf = async ({
  chain,
  rootCrl,
  pckCrl,
  tcbInfo,
  qeIdentity,
  ms,
}: Subject): Promise<Verdict> => {
  const [pck, authority, root] = chain;
  const underRoot = [root, authority, tcbInfo.chain[0], qeIdentity.chain[0]];
  const verdicts = await Promise.all([
    listVerdict(rootCrl, root, underRoot, ms),
    listVerdict(pckCrl, authority, [pck], ms),
  ]);
  return verdicts.find((verdict) => verdict !== null) ?? null;
};

/** Signature, term and subject of one of Intel's documents; `prefix` names it in the code. */
const documentVerdict = async (
  { text, signature, chain }: SignedDocument,
  { issueDate, nextUpdate }: Pick<TcbInfo, 'issueDate' | 'nextUpdate'>,
  fits: boolean,
  prefix: string,
  ms: number,
): Promise<Verdict> => {
  if (!(await verifyP256(chain[0].publicKey, signature, new TextEncoder().encode(text))))
    return `${prefix}_BAD_SIGNATURE`;
  if (ms < issueDate) return `${prefix}_NOT_YET_VALID`;
  if (ms > nextUpdate) return `${prefix}_EXPIRED`;
  return fits ? null : 'COLLATERAL_MISMATCH';
};

const qeVerdict = async ({ quote, chain, identity }: Subject): Promise<Verdict> => {
  if (!(await verifyP256(chain[0].publicKey, quote.qeSignature, quote.qeReport))) return 'QE_BAD_SIGNATURE';
  if (!vouchesForKey(quote)) return 'QE_KEY_MISMATCH';
  // Another TEE's identity is told by the step before.
  return identity.tee !== quote.tee || isQuotingEnclave(quote.qeReport, identity) ? null : 'QE_MISMATCH';
};

const signatureVerdict = async ({ attestationKey, signature, signed }: Quote): Promise<Verdict> => {
  const key = new Uint8Array([...POINT, ...attestationKey]);
  return (await verifyP256(key, signature, signed)) ? null : 'BAD_SIGNATURE';
};

const genuineSteps = async (subject: Subject, root: TrustedRoot | undefined): Promise<VerificationStep[]> => {
  const { quote, chain, pck, info, identity, tcbInfo, qeIdentity, ms } = subject;
  const certificates = [...chain, ...tcbInfo.chain, ...qeIdentity.chain];
  const [chainCode, revocation, infoCode, identityCode, qe, signature] = await Promise.all([
    chainVerdict(subject, root),
    revocationOf(subject),
    documentVerdict(tcbInfo, info, isAbout(info, quote, pck), 'TCB_INFO', ms),
    documentVerdict(qeIdentity, identity, identity.tee === quote.tee, 'QE_IDENTITY', ms),
    qeVerdict(subject),
    signatureVerdict(quote),
  ]);
  return [
    stepOf('format', null),
    stepOf('chain', chainCode),
    stepOf('validity', validityVerdict(certificates, ms)),
    stepOf('revocation', revocation),
    stepOf('tcb-info', infoCode),
    stepOf('qe-identity', identityCode),
    stepOf('qe', qe),
    stepOf('signature', signature),
    ...(quote.tee === 'tdx' ? [stepOf('td-module', moduleVerdict(subject))] : []),
  ];
};

/** Told only where the collateral is of a TDX platform at all. */
const moduleVerdict = ({ info, quote }: Subject): Verdict =>
  info.tee !== 'tdx' || isGenuineModule(info, quote) ? null : 'TD_MODULE_MISMATCH';

/** The quote with the chain that it carries. @throws MalformedError */
const evidenceOf = (bytes: Uint8Array): Pick<Subject, 'quote' | 'chain' | 'pck'> => {
  const quote = parseQuote(bytes);
  const chain = parsePemChain(quote.certificates, 3) as unknown as PckChain;
  return { quote, chain, pck: pckFactsOf(chain[0]) };
};

/** @throws MalformedError */
const collateralOf = (bytes: unknown): ParsedCollateral & Pick<Subject, 'info' | 'identity'> => {
  const collateral = parseDcapCollateral(bytes);
  const { tcbInfo, qeIdentity } = collateral;
  return { ...collateral, info: parseTcbInfo(tcbInfo.text), identity: parseQeIdentity(qeIdentity.text) };
};

/**
 * Verifies an Intel SGX or TDX quote against its published collateral. Pure: clock and trust store are arguments. What
 * cannot be read is a verdict with code `MALFORMED`, `WRONG_FORMAT` or `BAD_COLLATERAL`, not an exception.
 */
export const verifyDcap = async (input: DcapInput): Promise<AttestationVerdict> => {
  const policy = input.policy ?? {};
  const ms = nowMs(input.now);
  const tee = input.format === 'sgx-dcap' ? 'sgx' : 'tdx';
  const steps = [...GENUINE_STEPS, ...(tee === 'tdx' ? ['td-module'] : []), ...DEMAND_STEPS[tee], 'platform'];
  const evidence = await parsed(() => evidenceOf(input.evidence));
  if (!evidence) return unreadable('MALFORMED', steps);
  if (evidence.quote.tee !== tee) return unreadable('WRONG_FORMAT', steps);
  const collateral = await parsed(() => collateralOf(input.collateral));
  if (!collateral) return unreadable('BAD_COLLATERAL', steps);

  const subject = { ...evidence, ...collateral, ms };
  const root = rootOf(subject.chain, rootsFor(input.format, policy.roots));
  const genuine = await genuineSteps(subject, root);
  const tcb = tcbOf(subject);
  const verdict = verdictOf(genuine, demandSteps(subject, tcb, policy, input.expected ?? {}), root, policy);
  return tcb ? { ...verdict, tcb } : verdict;
};
