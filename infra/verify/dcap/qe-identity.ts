import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { equalBytes } from '../bytes.ts';
import { MalformedError } from '../der.ts';
import { parseJsonObject } from './json.ts';
import { type Level, levelReached, levelsOf } from './levels.ts';
import { type Quote, SGX_REPORT } from './quote.ts';
import type { TcbVerdict } from './tcb-status.ts';

/** Intel's identity of a quoting enclave (PCS API version 4): which enclave may vouch for attestation keys. */
export interface QeIdentity {
  readonly tee: Quote['tee'];
  readonly issueDate: number;
  readonly nextUpdate: number;
  readonly evaluation: number;
  readonly miscSelect: Uint8Array;
  readonly miscSelectMask: Uint8Array;
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly levels: readonly Level<number>[];
}

/** Ids and the versions of the structure that go with them. */
const KINDS: Readonly<Record<string, { tee: Quote['tee']; versions: readonly number[] }>> = {
  QE: { tee: 'sgx', versions: [2] },
  TD_QE: { tee: 'tdx', versions: [2, 3] },
};

/** @throws MalformedError on anything but the identity of a quoting enclave. */
export const parseQeIdentity = (text: string): QeIdentity => {
  const identity = parseJsonObject(text);
  const kind = KINDS[identity.text('id')];
  if (!kind?.versions.includes(identity.whole('version')))
    throw new MalformedError('an identity of an unknown kind');
  return {
    tee: kind.tee,
    issueDate: identity.instant('issueDate'),
    nextUpdate: identity.instant('nextUpdate'),
    evaluation: identity.whole('tcbEvaluationDataNumber'),
    // Published as the bytes are in memory, like the attributes.
    miscSelect: identity.hex('miscselect', 4),
    miscSelectMask: identity.hex('miscselectMask', 4),
    attributes: identity.hex('attributes', 16),
    attributesMask: identity.hex('attributesMask', 16),
    mrSigner: identity.hex('mrsigner', 32),
    isvProdId: identity.whole('isvprodid'),
    levels: levelsOf(identity, (tcb) => tcb.whole('isvsvn')),
  };
};

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);

const equalUnder = (mask: Uint8Array, found: Uint8Array, wanted: Uint8Array): boolean =>
  mask.every((bits, index) => ((found[index] ?? 0) & bits) === ((wanted[index] ?? 0) & bits));

/** Whether the enclave that made `report` is the one of `identity`. */
export const isQuotingEnclave = (report: Uint8Array, identity: QeIdentity): boolean => {
  const field = (at: number, size: number): Uint8Array => report.subarray(at, at + size);
  return (
    equalBytes(field(SGX_REPORT.mrSigner, 32), identity.mrSigner) &&
    u16(report, SGX_REPORT.isvProdId) === identity.isvProdId &&
    equalUnder(identity.miscSelectMask, field(SGX_REPORT.miscSelect, 4), identity.miscSelect) &&
    equalUnder(identity.attributesMask, field(SGX_REPORT.attributes, 16), identity.attributes)
  );
};

/** Whether the quoting enclave vouches for the attestation key: its report data begin with SHA-256(key ‖ own data). */
export const vouchesForKey = ({ qeReport, attestationKey, qeAuthData }: Quote): boolean =>
  equalBytes(
    qeReport.subarray(SGX_REPORT.reportData, SGX_REPORT.reportData + 32),
    sha256(concatBytes(attestationKey, qeAuthData)),
  );

/** State of the quoting enclave by its security version; null below every level. */
export const qeTcb = (report: Uint8Array, { levels }: QeIdentity): TcbVerdict | null => {
  const svn = u16(report, SGX_REPORT.isvSvn);
  return levelReached(levels, (least) => svn >= least);
};
