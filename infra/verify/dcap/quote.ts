import { equalBytes } from '../bytes.ts';
import { MalformedError } from '../der.ts';

/** Byte layout of Intel's quotes (SGX and TDX DCAP Quote Generation Library, version 3 to 5 structures). */
export const QUOTE = {
  headerSize: 48,
  version: 0,
  attestationKeyType: 2,
  teeType: 4,
  qeVendorId: 12,
  sgxReportSize: 384,
  tdReport10Size: 584,
  tdReport15Size: 648,
} as const;

/** Offsets inside an SGX enclave report. */
export const SGX_REPORT = {
  miscSelect: 16,
  attributes: 48,
  mrEnclave: 64,
  mrSigner: 128,
  isvProdId: 256,
  isvSvn: 258,
  reportData: 320,
} as const;

/** Offsets inside a TD report; version 1.5 adds to its end. */
export const TD_REPORT = {
  teeTcbSvn: 0,
  mrSignerSeam: 64,
  seamAttributes: 112,
  tdAttributes: 120,
  mrTd: 136,
  rtmr0: 328,
  reportData: 520,
  mrServiceTd: 600,
} as const;

const ECDSA_P256 = 2;
const TEE = { sgx: 0x00, tdx: 0x81 } as const;
const BODY_TD10 = 2;
const BODY_TD15 = 3;
const CERTIFICATE_CHAIN = 5;
const QE_CERTIFICATION = 6;
const INTEL_QE = Uint8Array.of(
  ...[0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07],
);

/** A parsed quote; byte fields are views into the input. */
export interface Quote {
  readonly tee: 'sgx' | 'tdx';
  /** What the attestation key signed: header and report. */
  readonly signed: Uint8Array;
  /** Enclave report or TD report. */
  readonly report: Uint8Array;
  readonly signature: Uint8Array;
  /** x ‖ y, 32 bytes each, P-256. */
  readonly attestationKey: Uint8Array;
  /** Report of the quoting enclave, which vouches for the attestation key. */
  readonly qeReport: Uint8Array;
  readonly qeSignature: Uint8Array;
  readonly qeAuthData: Uint8Array;
  /** PEM of the PCK certificate and its chain. */
  readonly certificates: Uint8Array;
}

/** Reads fields one after another. @throws MalformedError when the bytes end first, or do not end when they should. */
const reader = (bytes: Uint8Array) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const step = (size: number): number => {
    if (at + size > bytes.length) throw new MalformedError('the quote is cut off');
    at += size;
    return at - size;
  };
  return {
    position: () => at,
    u16: () => view.getUint16(step(2), true),
    u32: () => view.getUint32(step(4), true),
    bytes: (size: number) => {
      const start = step(size);
      return bytes.subarray(start, start + size);
    },
    end: () => {
      if (at !== bytes.length) throw new MalformedError('the quote has trailing bytes');
    },
    rest: () => bytes.subarray(at),
  };
};
type Reader = ReturnType<typeof reader>;

const demand = (holds: boolean, what: string): void => {
  if (!holds) throw new MalformedError(what);
};

const reportSize = (version: number, tee: Quote['tee'], input: Reader): number => {
  if (tee === 'sgx') {
    demand(version === 3, `an SGX quote has version 3, not ${version}`);
    return QUOTE.sgxReportSize;
  }
  demand(version === 4 || version === 5, `a TDX quote has version 4 or 5, not ${version}`);
  if (version === 4) return QUOTE.tdReport10Size;
  const type = input.u16();
  demand(type === BODY_TD10 || type === BODY_TD15, `body type ${type} is unknown`);
  const size = type === BODY_TD10 ? QUOTE.tdReport10Size : QUOTE.tdReport15Size;
  demand(input.u32() === size, 'the body has a wrong size');
  return size;
};

const qeCertification = (input: Reader) => {
  const qeReport = input.bytes(QUOTE.sgxReportSize);
  const qeSignature = input.bytes(64);
  const qeAuthData = input.bytes(input.u16());
  demand(input.u16() === CERTIFICATE_CHAIN, 'the quote carries no certificate chain');
  const certificates = input.bytes(input.u32());
  input.end();
  return { qeReport, qeSignature, qeAuthData, certificates };
};

const authenticationData = (version: number, bytes: Uint8Array) => {
  const input = reader(bytes);
  const signature = input.bytes(64);
  const attestationKey = input.bytes(64);
  if (version === 3) return { signature, attestationKey, ...qeCertification(input) };
  demand(input.u16() === QE_CERTIFICATION, 'certification data are not of a quoting enclave');
  const inner = input.bytes(input.u32());
  input.end();
  return { signature, attestationKey, ...qeCertification(reader(inner)) };
};

/**
 * Splits a quote into its fields; checks form only, not the signature. Platforms hand quotes out in buffers that are
 * larger than them, so zeros may follow, and nothing else.
 * @throws MalformedError on a version, key type or vendor that is not handled, and on every length that does not fit.
 */
export const parseQuote = (bytes: Uint8Array): Quote => {
  const input = reader(bytes);
  const version = input.u16();
  demand(input.u16() === ECDSA_P256, 'the quote is not signed with ECDSA P-256');
  const type = input.u32();
  demand(type === TEE.sgx || type === TEE.tdx, `TEE type ${type} is unknown`);
  const tee = type === TEE.sgx ? 'sgx' : 'tdx';
  input.bytes(4);
  demand(equalBytes(input.bytes(16), INTEL_QE), "the quote is not of Intel's quoting enclave");
  input.bytes(20);
  const report = input.bytes(reportSize(version, tee, input));
  const signed = bytes.subarray(0, input.position());
  const authentication = input.bytes(input.u32());
  demand(
    input.rest().every((byte) => byte === 0),
    'the quote has trailing bytes',
  );
  return { tee, signed, report, ...authenticationData(version, authentication) };
};
