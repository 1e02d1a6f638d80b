import { derReader, derSingle, MalformedError, TAG } from '../der.ts';

/** The curves that attestation uses, each with the one hash it is used with. */
const CURVES = {
  'P-256': { hash: 'SHA-256', coordinate: 32 },
  'P-384': { hash: 'SHA-384', coordinate: 48 },
  'P-521': { hash: 'SHA-512', coordinate: 66 },
} as const;
export type Curve = keyof typeof CURVES;

/** WebCrypto's types want a plain ArrayBuffer behind the view; a copy also shields it from later writes. */
export const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

/** An uncompressed point (SEC 1) rather than SubjectPublicKeyInfo in DER. */
const isPoint = (key: Uint8Array): boolean => key[0] === 0x04;

/**
 * ECDSA on `curve` with its hash over `data`. `key`: DER of SubjectPublicKeyInfo or an uncompressed point; `signature`:
 * r ‖ s, big-endian, each as long as a coordinate. False for a key of another kind or a point off the curve.
 */
export const verifyEcdsa = async (
  curve: Curve,
  key: Uint8Array,
  signature: Uint8Array,
  data: Uint8Array,
): Promise<boolean> => {
  const algorithm = { name: 'ECDSA', namedCurve: curve };
  const form = isPoint(key) ? 'raw' : 'spki';
  const imported = await crypto.subtle
    .importKey(form, own(key), algorithm, false, ['verify'])
    .catch(() => null);
  if (!imported) return false;
  const { hash } = CURVES[curve];
  return crypto.subtle.verify({ name: 'ECDSA', hash }, imported, own(signature), own(data));
};

/** An unsigned DER INTEGER of at most `size` bytes, left-padded. */
const coordinate = (body: Uint8Array, size: number): Uint8Array => {
  const [first = 0x80, second = 0] = body;
  if (first >= 0x80 || (first === 0 && body.length > 1 && second < 0x80))
    throw new MalformedError('ECDSA integer is not minimal and positive');
  const digits = first === 0 ? body.subarray(1) : body;
  if (digits.length > size) throw new MalformedError('ECDSA integer is too large');
  const out = new Uint8Array(size);
  out.set(digits, size - digits.length);
  return out;
};

/** ECDSA-Sig-Value (RFC 3279) to the fixed-length form r ‖ s that WebCrypto takes. @throws MalformedError */
export const rawSignature = (der: Uint8Array, curve: Curve): Uint8Array => {
  const size = CURVES[curve].coordinate;
  const reader = derReader(derSingle(der, TAG.sequence).body);
  const out = new Uint8Array(2 * size);
  out.set(coordinate(reader.next(TAG.integer).body, size));
  out.set(coordinate(reader.next(TAG.integer).body, size), size);
  reader.end();
  return out;
};
