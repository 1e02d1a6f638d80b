import { MalformedError } from '../der.ts';
import { type Curve, verifyEcdsa } from '../x509/ecdsa.ts';
import { type Cbor, type CborMap, CborTag, decodeCbor, encodeSigStructure } from './cbor.ts';

/** COSE message tags (RFC 9052 §2). */
const TAG = { mac0: 17, sign1: 18 } as const;
/** Header labels (RFC 9052 §3.1). */
const HEADER = { algorithm: 1, critical: 2 } as const;
/** ECDSA algorithms of RFC 9053 §2.1, each on the curve of its size. */
const CURVE_OF: ReadonlyMap<Cbor, Curve> = new Map<Cbor, Curve>([
  [-7, 'P-256'],
  [-35, 'P-384'],
  [-36, 'P-521'],
]);

/** A parsed COSE_Sign1 message; byte fields are views into the input. */
export interface Sign1 {
  readonly curve: Curve;
  readonly protectedHeader: Uint8Array;
  readonly payload: Uint8Array;
  /** r ‖ s. */
  readonly signature: Uint8Array;
}

/** Authenticated by a shared secret, which whoever verifies could have used to forge it. */
export class SymmetricError extends MalformedError {}

const isBytes = (value: Cbor | undefined): value is Uint8Array => ArrayBuffer.isView(value);
const isMap = (value: Cbor | undefined): value is CborMap => value instanceof Map;

/** @throws MalformedError on anything but a tagged COSE_Sign1; SymmetricError on a COSE_Mac0. */
export const parseSign1 = (message: Cbor): Sign1 => {
  if (!(message instanceof CborTag)) throw new MalformedError('not a tagged COSE message');
  if (message.tag === TAG.mac0) throw new SymmetricError('a COSE_Mac0 proves nothing to a third party');
  if (message.tag !== TAG.sign1) throw new MalformedError(`CBOR tag ${message.tag} is not COSE_Sign1`);
  const parts = message.value;
  if (!Array.isArray(parts) || parts.length !== 4) throw new MalformedError('COSE_Sign1 has four parts');
  const [protectedHeader, unprotected, payload, signature] = parts as Cbor[];
  if (!isBytes(protectedHeader) || !isMap(unprotected) || !isBytes(payload) || !isBytes(signature))
    throw new MalformedError('a part of COSE_Sign1 has a wrong type');
  const header = decodeCbor(protectedHeader);
  // No extension is known here, so none may be critical.
  if (!isMap(header) || header.has(HEADER.critical) || unprotected.has(HEADER.algorithm))
    throw new MalformedError('the protected header is not understood');
  const curve = CURVE_OF.get(header.get(HEADER.algorithm) ?? null);
  if (!curve) throw new MalformedError('the signature algorithm is not accepted');
  return { curve, protectedHeader, payload, signature };
};

/**
 * Whether `key` signed the message (RFC 9052 §4.4, no external data). `key`: DER of SubjectPublicKeyInfo or an
 * uncompressed point.
 */
export const sign1Holds = (
  { curve, protectedHeader, payload, signature }: Sign1,
  key: Uint8Array,
): Promise<boolean> => {
  const signed = encodeSigStructure(['Signature1', protectedHeader, new Uint8Array(0), payload]);
  return verifyEcdsa(curve, key, signature, signed);
};
