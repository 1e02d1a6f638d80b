import type { Certificate, SignatureScheme } from './certificate.ts';
import { own, rawSignature, verifyEcdsa } from './ecdsa.ts';

const PSS = { name: 'RSA-PSS', hash: 'SHA-384' } as const;

const verifyPss = async (spki: Uint8Array, signature: Uint8Array, data: Uint8Array): Promise<boolean> => {
  // Null where WebCrypto refuses the key, for instance one of another type.
  const key = await crypto.subtle.importKey('spki', own(spki), PSS, false, ['verify']).catch(() => null);
  if (!key) return false;
  return crypto.subtle.verify({ name: 'RSA-PSS', saltLength: 48 }, key, own(signature), own(data));
};

/** What a certificate authority signed: a certificate or a revocation list. */
export interface SignedByAuthority {
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  readonly scheme: SignatureScheme;
}

/** Whether `issuer`'s key signed `item`. @throws MalformedError on a signature that is not DER. */
export const isSignedBy = (
  { scheme, signature, signed }: SignedByAuthority,
  { publicKey }: Pick<Certificate, 'publicKey'>,
): Promise<boolean> => {
  if (scheme === 'rsa-pss-sha384') return verifyPss(publicKey, signature, signed);
  const curve = scheme === 'ecdsa-sha384' ? 'P-384' : 'P-256';
  return verifyEcdsa(curve, publicKey, rawSignature(signature, curve), signed);
};
