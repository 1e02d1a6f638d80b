import {
  bitStringBytes,
  type DerReader,
  derFlag,
  derReader,
  derSingle,
  derSmallInteger,
  MalformedError,
  oidText,
  TAG,
} from '../der.ts';

/** How a certificate is signed: RSA by AMD, P-256 by Intel, P-384 by the simulated chains. */
export type SignatureScheme = 'rsa-pss-sha384' | 'ecdsa-sha384' | 'ecdsa-sha256';

/** The parts of an X.509 v3 certificate (RFC 5280) that a pinned chain needs. Byte fields are views into the input. */
export interface Certificate {
  /** DER of the part that is signed. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  readonly scheme: SignatureScheme;
  /** Content of the serial number's INTEGER. */
  readonly serial: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** DER of SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** True with basicConstraints CA and, where keyUsage is present, keyCertSign. */
  readonly isAuthority: boolean;
  /** Value of each extension by dotted OID, without the outer OCTET STRING. */
  readonly extensions: ReadonlyMap<string, Uint8Array>;
}

const OID = {
  rsaPss: '1.2.840.113549.1.1.10',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
} as const;

const ECDSA: Readonly<Record<string, SignatureScheme>> = {
  '1.2.840.10045.4.3.2': 'ecdsa-sha256',
  '1.2.840.10045.4.3.3': 'ecdsa-sha384',
};

/** Critical extensions this parser enforces; any other critical one is refused, as RFC 5280 §4.2 demands. */
const UNDERSTOOD: ReadonlySet<string> = new Set([OID.basicConstraints, OID.keyUsage]);

/** RSASSA-PSS-params: SHA-384, MGF1 with SHA-384, salt 48 (trailer 1 in any of its encodings is the only one defined). */
const PSS_SHA384 = [
  'a00f300d06096086480165030402020500',
  'a11c301a06092a864886f70d010108300d06096086480165030402020500',
  'a203020130',
].join('');
const PSS_TRAILERS = ['', 'a303020101'];

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Content of an AlgorithmIdentifier to a scheme. @throws MalformedError for any other */
export const schemeOf = (algorithm: Uint8Array): SignatureScheme => {
  const reader = derReader(algorithm);
  const oid = oidText(reader.next(TAG.oid).body);
  const ecdsa = ECDSA[oid];
  if (ecdsa) {
    reader.end();
    return ecdsa;
  }
  if (oid !== OID.rsaPss) throw new MalformedError(`signature algorithm ${oid} is not accepted`);
  const parameters = hex(reader.next(TAG.sequence).body);
  reader.end();
  if (!PSS_TRAILERS.some((trailer) => parameters === PSS_SHA384 + trailer))
    throw new MalformedError('RSA-PSS parameters are not SHA-384 with a 48 byte salt');
  return 'rsa-pss-sha384';
};

/** An X.509 Time in milliseconds since 1970. @throws MalformedError */
export const timeOf = (reader: DerReader): number => {
  const { tag, body } = reader.next();
  const text = new TextDecoder().decode(body);
  const match =
    tag === TAG.utcTime
      ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text)
      : tag === TAG.generalizedTime
        ? /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text)
        : null;
  if (!match) throw new MalformedError('certificate time has a wrong form');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  // RFC 5280 §4.1.2.5.1: two-digit years below 50 belong to this century.
  const century = tag === TAG.utcTime ? (year < 50 ? 2000 : 1900) : 0;
  const ms = Date.UTC(century + year, month - 1, day, hour, minute, second);
  // Date.UTC carries 31 February over into March; a real date survives the round trip.
  const back = new Date(ms);
  if (back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day || back.getUTCHours() !== hour)
    throw new MalformedError('certificate time is not a date');
  return ms;
};

/** Extensions by dotted OID from an element tagged `tag`. @throws MalformedError on a critical one of another kind */
export const readExtensions = (reader: DerReader, tag: number): Map<string, Uint8Array> => {
  const extensions = new Map<string, Uint8Array>();
  const list = derReader(derSingle(reader.next(tag).body, TAG.sequence).body);
  while (list.peek() !== null) {
    const extension = derReader(list.next(TAG.sequence).body);
    const oid = oidText(extension.next(TAG.oid).body);
    const critical = derFlag(extension);
    const value = extension.next(TAG.octetString).body;
    extension.end();
    if (critical && !UNDERSTOOD.has(oid))
      throw new MalformedError(`critical extension ${oid} is not understood`);
    if (extensions.has(oid)) throw new MalformedError(`extension ${oid} appears twice`);
    extensions.set(oid, value);
  }
  return extensions;
};

const isAuthority = (extensions: ReadonlyMap<string, Uint8Array>): boolean => {
  const constraints = extensions.get(OID.basicConstraints);
  if (!constraints) return false;
  const body = derReader(derSingle(constraints, TAG.sequence).body);
  const isCa = derFlag(body);
  const usage = extensions.get(OID.keyUsage);
  // keyUsage is a BIT STRING; keyCertSign is bit 5 counted from the top of the first octet.
  const mayCertify = usage === undefined || ((derSingle(usage, TAG.bitString).body[1] ?? 0) & 0x04) !== 0;
  return isCa && mayCertify;
};

/** @throws MalformedError on anything but one DER certificate, version 3, signed with one of the accepted schemes. */
export const parseCertificate = (der: Uint8Array): Certificate => {
  const outer = derReader(derSingle(der, TAG.sequence).body);
  const signed = outer.next(TAG.sequence);
  const outerAlgorithm = outer.next(TAG.sequence);
  const signature = bitStringBytes(outer.next(TAG.bitString));
  outer.end();

  const body = derReader(signed.body);
  if (derSmallInteger(body.next(0xa0).body) !== 2)
    throw new MalformedError('not an X.509 version 3 certificate');
  const serial = body.next(TAG.integer).body;
  const innerAlgorithm = body.next(TAG.sequence);
  if (hex(innerAlgorithm.raw) !== hex(outerAlgorithm.raw))
    throw new MalformedError('inner and outer signature algorithm differ');
  const issuer = body.next(TAG.sequence).raw;
  const validity = derReader(body.next(TAG.sequence).body);
  const notBefore = timeOf(validity);
  const notAfter = timeOf(validity);
  validity.end();
  const subject = body.next(TAG.sequence).raw;
  const publicKey = body.next(TAG.sequence).raw;
  const extensions = readExtensions(body, 0xa3);
  body.end();
  return {
    signed: signed.raw,
    signature,
    scheme: schemeOf(innerAlgorithm.body),
    serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKey,
    isAuthority: isAuthority(extensions),
    extensions,
  };
};
