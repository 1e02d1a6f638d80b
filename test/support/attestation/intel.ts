import { createHash, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { issueCertificate } from '../../../infra/tee/simulated/certificate.ts';
import { der, integer, octets, oid, sequence } from '../../../infra/tee/simulated/der.ts';
import { SGX_EXTENSIONS } from '../../../infra/verify/dcap/pck.ts';
import type { DcapCollateral, TrustedRoot } from '../../../infra/verify/index.ts';
import { revocationList } from './revocation-list.ts';

/** An own authority in Intel's form, whose every part can be given a single fault. Times in milliseconds. */

const DAY_MS = 86_400_000;
const ROOT = 'SIMULATED SGX Root CA';
const PCK_CA = 'SIMULATED SGX PCK Platform CA';
export const QE_SIGNER = '5a'.repeat(32);
export const QE_SVN = 8;

interface Holder {
  readonly certificate: Uint8Array;
  readonly key: KeyObject;
}

export interface IntelFaults {
  readonly fmspc?: string;
  /** State of the TCB level that the platform reaches. */
  readonly status?: string;
  readonly advisories?: readonly string[];
  /** Least security version of the first component; the platform has 5. */
  readonly leastSvn?: number;
  /** Days that the signed documents and lists are valid. */
  readonly days?: number;
  readonly qeId?: string;
  readonly qeSigner?: string;
  readonly revoked?: 'pck' | 'authority';
  /** Signs the PCK list with another key. */
  readonly forgedList?: boolean;
  readonly evaluation?: number;
  readonly moduleSigner?: string;
}

const small = (value: number): Uint8Array => integer(Uint8Array.of(value));
const enumerated = (value: number): Uint8Array => der(0x0a, Uint8Array.of(value));
const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

const pckExtension = (fmspc: string): Uint8Array => {
  const entry = (path: string, value: Uint8Array) => sequence(oid(`${SGX_EXTENSIONS}.${path}`), value);
  const components = Array.from({ length: 16 }, (_, index) => entry(`2.${index + 1}`, small(5)));
  return sequence(
    entry('1', octets(new Uint8Array(16))),
    entry('2', sequence(...components, entry('2.17', small(13)), entry('2.18', octets(new Uint8Array(16))))),
    entry('3', octets(new Uint8Array(2))),
    entry('4', octets(Buffer.from(fmspc, 'hex'))),
    entry('5', enumerated(0)),
  );
};

const pem = (...ders: readonly Uint8Array[]): string =>
  ders
    .map(
      (each) =>
        Buffer.from(each)
          .toString('base64')
          .match(/.{1,64}/g) ?? [],
    )
    .map((lines) => `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`)
    .join('');

const serialOf = (certificate: Uint8Array): Uint8Array =>
  Buffer.from(new X509Certificate(certificate).serialNumber, 'hex');

/** r ‖ s over SHA-256. */
export const signP256 = (data: Uint8Array, key: KeyObject): Uint8Array =>
  sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' });

const instant = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

/** Creates the authority with one platform under it; `now` is RFC 3339. */
export const simulatedIntel = (now: string) => {
  const ms = Date.parse(now);
  const [rootPair, caPair, pckPair, tcbPair] = [p256(), p256(), p256(), p256()];
  const issue = (
    subject: string,
    publicKey: KeyObject,
    issuer: string,
    issuerKey: KeyObject,
    extensions: readonly (readonly [string, Uint8Array])[] | null,
  ): Uint8Array =>
    issueCertificate({
      subject,
      issuer,
      publicKey,
      issuerKey,
      digest: 'sha256',
      notBefore: ms - DAY_MS,
      notAfter: ms + 365 * DAY_MS,
      isAuthority: extensions === null,
      extensions: extensions ?? [],
    });
  const fmspc = 'b0c06f000000';
  const root: Holder = {
    key: rootPair.privateKey,
    certificate: issue(ROOT, rootPair.publicKey, ROOT, rootPair.privateKey, null),
  };
  const ca: Holder = {
    key: caPair.privateKey,
    certificate: issue(PCK_CA, caPair.publicKey, ROOT, root.key, null),
  };
  const pck: Holder = {
    key: pckPair.privateKey,
    certificate: issue('SIMULATED PCK', pckPair.publicKey, PCK_CA, ca.key, [
      [SGX_EXTENSIONS, pckExtension(fmspc)],
    ]),
  };
  const tcb: Holder = {
    key: tcbPair.privateKey,
    certificate: issue('SIMULATED TCB Signing', tcbPair.publicKey, ROOT, root.key, []),
  };

  const list = (issuer: string, key: KeyObject, days: number, revoked: readonly Uint8Array[]): string => {
    const times = { thisUpdate: ms - DAY_MS, nextUpdate: ms + days * DAY_MS };
    return Buffer.from(revocationList({ issuer, key, digest: 'sha256', ...times, revoked })).toString('hex');
  };

  const term = (days: number) => ({
    issueDate: instant(ms - DAY_MS),
    nextUpdate: instant(ms + days * DAY_MS),
  });

  const collateral = (tee: 'sgx' | 'tdx', faults: IntelFaults = {}): DcapCollateral => {
    const { days = 30, evaluation = 17, status = 'UpToDate', advisories = [], leastSvn = 5 } = faults;
    const components = (first: number) => [first, ...new Array<number>(15).fill(0)].map((svn) => ({ svn }));
    const identity = { mrsigner: faults.moduleSigner ?? '00'.repeat(48), attributes: '00'.repeat(8) };
    const tcbInfo = JSON.stringify({
      id: tee.toUpperCase(),
      version: 3,
      ...term(days),
      fmspc: faults.fmspc ?? fmspc,
      pceId: '0000',
      tcbType: 0,
      tcbEvaluationDataNumber: evaluation,
      ...(tee === 'tdx' && { tdxModule: { ...identity, attributesMask: 'ff'.repeat(8) } }),
      tcbLevels: [
        {
          tcb: {
            sgxtcbcomponents: components(leastSvn),
            ...(tee === 'tdx' && { tdxtcbcomponents: components(0) }),
            pcesvn: 13,
          },
          tcbDate: instant(ms),
          tcbStatus: status,
          advisoryIDs: advisories,
        },
      ],
    });
    const qeIdentity = JSON.stringify({
      id: faults.qeId ?? (tee === 'sgx' ? 'QE' : 'TD_QE'),
      version: 2,
      ...term(days),
      tcbEvaluationDataNumber: evaluation,
      miscselect: '00000000',
      miscselectMask: 'ffffffff',
      attributes: `11${'00'.repeat(15)}`,
      attributesMask: `fb${'ff'.repeat(7)}${'00'.repeat(8)}`,
      mrsigner: faults.qeSigner ?? QE_SIGNER,
      isvprodid: 1,
      tcbLevels: [{ tcb: { isvsvn: QE_SVN }, tcbDate: instant(ms), tcbStatus: 'UpToDate' }],
    });
    const signature = (text: string) => Buffer.from(signP256(Buffer.from(text), tcb.key)).toString('hex');
    const revokedBy = (which: IntelFaults['revoked'], holder: Holder) =>
      faults.revoked === which ? [serialOf(holder.certificate)] : [];
    return {
      root_ca_crl: list(ROOT, root.key, days, revokedBy('authority', ca)),
      pck_crl: list(PCK_CA, faults.forgedList ? p256().privateKey : ca.key, days, revokedBy('pck', pck)),
      tcb_info_issuer_chain: pem(tcb.certificate, root.certificate),
      tcb_info: tcbInfo,
      tcb_info_signature: signature(tcbInfo),
      qe_identity_issuer_chain: pem(tcb.certificate, root.certificate),
      qe_identity: qeIdentity,
      qe_identity_signature: signature(qeIdentity),
    };
  };

  const roots: TrustedRoot[] = [
    {
      name: 'simulated Intel',
      platform: 'simulated',
      keyHash: createHash('sha256')
        .update(rootPair.publicKey.export({ type: 'spki', format: 'der' }))
        .digest('hex'),
    },
  ];
  return {
    roots,
    collateral,
    pckKey: pck.key,
    chain: pem(pck.certificate, ca.certificate, root.certificate),
  };
};

export type SimulatedIntel = ReturnType<typeof simulatedIntel>;
