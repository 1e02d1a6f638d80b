import { derReader, derSingle, MalformedError, TAG } from '../der.ts';
import type { Certificate } from './certificate.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** WebCrypto's types want a plain ArrayBuffer behind the view; a copy also shields it from later writes. */
const own = (bytes: Uint8Array): Bytes => new Uint8Array(bytes);

const P384 = { name: 'ECDSA', namedCurve: 'P-384' } as const;
const PSS = { name: 'RSA-PSS', hash: 'SHA-384' } as const;
const COORDINATE = 48;

/** An unsigned DER INTEGER of at most 48 bytes, left-padded. */
const coordinate = (body: Uint8Array): Uint8Array => {
  const [first = 0x80, second = 0] = body;
  if (first >= 0x80 || (first === 0 && body.length > 1 && second < 0x80))
    throw new MalformedError('ECDSA integer is not minimal and positive');
  const digits = first === 0 ? body.subarray(1) : body;
  if (digits.length > COORDINATE) throw new MalformedError('ECDSA integer is too large');
  const out = new Uint8Array(COORDINATE);
  out.set(digits, COORDINATE - digits.length);
  return out;
};

/** ECDSA-Sig-Value (RFC 3279) to the fixed-length form r ‖ s that WebCrypto takes. @throws MalformedError */
const rawSignature = (der: Uint8Array): Bytes => {
  const reader = derReader(derSingle(der, TAG.sequence).body);
  const out = new Uint8Array(2 * COORDINATE);
  out.set(coordinate(reader.next(TAG.integer).body));
  out.set(coordinate(reader.next(TAG.integer).body), COORDINATE);
  reader.end();
  return out;
};

/** Public key or null where WebCrypto refuses it: another key type, a point off the curve. */
const importKey = (spki: Uint8Array, algorithm: typeof P384 | typeof PSS) =>
  crypto.subtle.importKey('spki', own(spki), algorithm, false, ['verify']).catch(() => null);

/** ECDSA P-384 with SHA-384 over `data`; `signature` is r ‖ s, 48 bytes each, big-endian. */
export const verifyP384 = async (
  spki: Uint8Array,
  signature: Uint8Array,
  data: Uint8Array,
): Promise<boolean> => {
  const key = await importKey(spki, P384);
  if (!key) return false;
  return crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-384' }, key, own(signature), own(data));
};

const verifyPss = async (spki: Uint8Array, signature: Uint8Array, data: Uint8Array): Promise<boolean> => {
  const key = await importKey(spki, PSS);
  if (!key) return false;
  return crypto.subtle.verify({ name: 'RSA-PSS', saltLength: 48 }, key, own(signature), own(data));
};

/** Whether `issuer`'s key signed `certificate`. @throws MalformedError on a signature that is not DER. */
export const isSignedBy = (certificate: Certificate, issuer: Certificate): Promise<boolean> =>
  certificate.scheme === 'rsa-pss-sha384'
    ? verifyPss(issuer.publicKey, certificate.signature, certificate.signed)
    : verifyP384(issuer.publicKey, rawSignature(certificate.signature), certificate.signed);
