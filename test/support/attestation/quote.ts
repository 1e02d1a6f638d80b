import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SGX_REPORT, TD_REPORT } from '../../../infra/verify/dcap/quote.ts';
import { QE_SIGNER, QE_SVN, type SimulatedIntel, signP256 } from './intel.ts';

/** A quote in Intel's form under a simulated authority, with any of its facts changed. */

export interface QuoteFacts {
  readonly reportData: Uint8Array;
  /** mrenclave (32 bytes) or mrtd (48), hex. */
  readonly measurement: string;
  readonly mrSigner?: string;
  readonly isvSvn?: number;
  readonly debug?: boolean;
  /** Sets none of the TD's attribute bits, SEPT_VE_DISABLE included. */
  readonly bareAttributes?: boolean;
  readonly qeDebug?: boolean;
  /** Lets the quoting enclave vouch for another key than the one that signs. */
  readonly otherKey?: boolean;
  /** Signs the enclave's report with a key that the quote does not name. */
  readonly forged?: boolean;
  readonly forgedQe?: boolean;
}

const VENDOR = Buffer.from('939a7233f79c4ca9940a0db3957f0607', 'hex');

const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

const header = (tee: 'sgx' | 'tdx'): Buffer =>
  Buffer.concat([
    u16(tee === 'sgx' ? 3 : 4),
    u16(2),
    u32(tee === 'sgx' ? 0 : 0x81),
    u32(0),
    VENDOR,
    Buffer.alloc(20),
  ]);

const enclaveReport = (facts: QuoteFacts): Buffer => {
  const report = Buffer.alloc(384);
  report[SGX_REPORT.attributes] = facts.debug ? 0x07 : 0x05;
  report.set(Buffer.from(facts.measurement, 'hex'), SGX_REPORT.mrEnclave);
  report.set(Buffer.from(facts.mrSigner ?? '00'.repeat(32), 'hex'), SGX_REPORT.mrSigner);
  report.writeUInt16LE(facts.isvSvn ?? 1, SGX_REPORT.isvSvn);
  report.set(facts.reportData, SGX_REPORT.reportData);
  return report;
};

const tdReport = (facts: QuoteFacts): Buffer => {
  const report = Buffer.alloc(584);
  report[TD_REPORT.teeTcbSvn] = 5;
  if (!facts.bareAttributes) report[TD_REPORT.tdAttributes + 3] = 0x10;
  if (facts.debug) report[TD_REPORT.tdAttributes] = 0x01;
  report.set(Buffer.from(facts.measurement, 'hex'), TD_REPORT.mrTd);
  report.set(facts.reportData, TD_REPORT.reportData);
  return report;
};

const qeReport = (keyHash: Buffer, debug: boolean): Buffer => {
  const report = Buffer.alloc(384);
  report[SGX_REPORT.attributes] = debug ? 0x13 : 0x11;
  report.set(Buffer.from(QE_SIGNER, 'hex'), SGX_REPORT.mrSigner);
  report.writeUInt16LE(1, SGX_REPORT.isvProdId);
  report.writeUInt16LE(QE_SVN, SGX_REPORT.isvSvn);
  report.set(keyHash, SGX_REPORT.reportData);
  return report;
};

const pointOf = (key: KeyObject): Buffer => {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  return Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
};

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

export const simulatedQuote = (intel: SimulatedIntel, tee: 'sgx' | 'tdx', facts: QuoteFacts): Uint8Array => {
  const attestation = pair();
  const point = pointOf(attestation.publicKey);
  const authData = Buffer.alloc(32, 7);
  const vouchedFor = facts.otherKey ? pointOf(pair().publicKey) : point;
  const keyHash = createHash('sha256').update(vouchedFor).update(authData).digest();
  const qe = qeReport(keyHash, facts.qeDebug ?? false);
  const chain = Buffer.from(`${intel.chain}\0`, 'latin1');
  const certification = Buffer.concat([
    qe,
    signP256(qe, facts.forgedQe ? pair().privateKey : intel.pckKey),
    u16(authData.length),
    authData,
    u16(5),
    u32(chain.length),
    chain,
  ]);
  const signed = Buffer.concat([header(tee), tee === 'sgx' ? enclaveReport(facts) : tdReport(facts)]);
  const signature = signP256(signed, facts.forged ? pair().privateKey : attestation.privateKey);
  const wrapped =
    tee === 'sgx' ? certification : Buffer.concat([u16(6), u32(certification.length), certification]);
  const authentication = Buffer.concat([signature, point, wrapped]);
  return new Uint8Array(Buffer.concat([signed, u32(authentication.length), authentication]));
};
