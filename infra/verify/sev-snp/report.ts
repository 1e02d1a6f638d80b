import { MalformedError } from '../der.ts';

/** Byte layout of an SEV-SNP attestation report (AMD SEV-SNP Firmware ABI, table ATTESTATION_REPORT). */
export const SNP = {
  size: 1184,
  /** The signature covers the bytes before it. */
  signedSize: 0x2a0,
  version: 0x000,
  policy: 0x008,
  vmpl: 0x030,
  signatureAlgorithm: 0x034,
  reportData: 0x050,
  measurement: 0x090,
  /** Identifies the guest over its life: 32 bytes. */
  reportId: 0x140,
  reportedTcb: 0x180,
  chipId: 0x1a0,
  r: 0x2a0,
  s: 0x2e8,
  /** Each of r and s: 48 bytes little-endian in a field of 72. */
  signatureField: 72,
  signatureEnd: 0x330,
} as const;

/** Bit of the guest policy that lets the host debug, thus read, the guest. */
export const DEBUG_BIT = 19n;
/** SIGNATURE_ALGO: ECDSA P-384 with SHA-384. */
export const ECDSA_P384_SHA384 = 1;

const NEWEST_VERSION = 5;
const COORDINATE = 48;

/** A parsed report; byte fields are views into the input. */
export interface SnpReport {
  readonly signed: Uint8Array;
  /** r ‖ s, 48 bytes each, big-endian. */
  readonly signature: Uint8Array;
  readonly policy: bigint;
  readonly vmpl: number;
  readonly reportData: Uint8Array;
  readonly measurement: Uint8Array;
  readonly reportedTcb: Uint8Array;
  readonly chipId: Uint8Array;
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/**
 * Splits a report into its fields; checks form only, not the signature.
 * @throws MalformedError on a wrong length, an unknown version or algorithm, or bytes where the format has none:
 * bytes after the signature are not signed, so accepting them would let one report have many encodings.
 */
export const parseSnpReport = (bytes: Uint8Array): SnpReport => {
  if (bytes.length !== SNP.size)
    throw new MalformedError(`a report has ${SNP.size} bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(SNP.version, true);
  if (version < 2 || version > NEWEST_VERSION)
    throw new MalformedError(`report version ${version} is unknown`);
  if (view.getUint32(SNP.signatureAlgorithm, true) !== ECDSA_P384_SHA384)
    throw new MalformedError('the report is not signed with ECDSA P-384');
  const padding = [
    bytes.subarray(SNP.r + COORDINATE, SNP.s),
    bytes.subarray(SNP.s + COORDINATE, SNP.signatureEnd),
    bytes.subarray(SNP.signatureEnd),
  ];
  if (!padding.every(isZero)) throw new MalformedError('padding of the signature is not zero');
  const signature = new Uint8Array(2 * COORDINATE);
  // Copies: the slice of a Node Buffer would be a view, and reversing it would alter the input.
  signature.set(new Uint8Array(bytes.subarray(SNP.r, SNP.r + COORDINATE)).reverse());
  signature.set(new Uint8Array(bytes.subarray(SNP.s, SNP.s + COORDINATE)).reverse(), COORDINATE);
  return {
    signed: bytes.subarray(0, SNP.signedSize),
    signature,
    policy: view.getBigUint64(SNP.policy, true),
    vmpl: view.getUint32(SNP.vmpl, true),
    reportData: bytes.subarray(SNP.reportData, SNP.reportData + 64),
    measurement: bytes.subarray(SNP.measurement, SNP.measurement + 48),
    reportedTcb: bytes.subarray(SNP.reportedTcb, SNP.reportedTcb + 8),
    chipId: bytes.subarray(SNP.chipId, SNP.chipId + 64),
  };
};
