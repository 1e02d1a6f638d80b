import { createPrivateKey, createPublicKey, type KeyObject, verify } from 'node:crypto';

/** PKCS #8 wrapping of a raw Ed25519 seed (RFC 8410 §7). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
/** Of a seed, and of a public key. */
const KEY_BYTES = 32;

export interface Ed25519Key {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** The public key in base64url, as RFC 8037 has it. */
  readonly x: string;
}

/** The Ed25519 key of a seed for `node:crypto`, which signs in a fraction of the time that JavaScript takes. @throws RangeError */
export const ed25519Key = (seed: Uint8Array): Ed25519Key => {
  if (seed.length !== KEY_BYTES) throw new RangeError('an Ed25519 seed has 32 bytes');
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_ED25519, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(privateKey);
  const { x } = publicKey.export({ format: 'jwk' });
  if (typeof x !== 'string') throw new Error('the key has no public part');
  return { privateKey, publicKey, x };
};

/** Whether `signature` is that of a raw public key over `message` (RFC 8032); malformed input is just not a signature. */
export const verifyEd25519 = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  if (publicKey.length !== KEY_BYTES) return false;
  const x = Buffer.from(publicKey).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, message, key, signature);
};
