import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import { type Ed25519Key, ed25519Key } from './ed25519.ts';

/** A public key as RFC 8037 describes it, for `/.well-known/jwks.json`. */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
}

interface SigningKey extends Ed25519Key {
  readonly kid: string;
  readonly jwk: PublicJwk;
}

/** The engine's Ed25519 keys: the current one signs, the earlier ones still verify. */
export interface Signer {
  readonly kid: string;
  readonly privateKey: KeyObject;
  publicKey(kid: string): KeyObject | null;
  jwks(): { readonly keys: readonly PublicJwk[] };
  /** `<kid>.<signature>` over `domain` ‖ newline ‖ `message`; the domain keeps signatures of one use out of another. */
  sign(domain: string, message: string): string;
  verify(domain: string, message: string, signature: string): boolean;
}

const signingKey = (seed: Uint8Array): SigningKey => {
  const key = ed25519Key(seed);
  const { x } = key;
  // RFC 7638 thumbprint: the members of an OKP key in lexical order.
  const kid = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
  return {
    ...key,
    kid,
    jwk: { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' },
  };
};

const bytesOf = (domain: string, message: string): Buffer => Buffer.from(`${domain}\n${message}`);

/**
 * @param seeds Ed25519 seeds, newest first. Rotation puts a new one in front and drops one that no valid token names.
 */
export const createSigner = (seeds: readonly Uint8Array[]): Signer => {
  const keys = new Map(seeds.map((seed) => signingKey(seed)).map((key) => [key.kid, key]));
  const [current] = keys.values();
  if (!current) throw new RangeError('the signer needs a key');

  return {
    kid: current.kid,
    privateKey: current.privateKey,
    publicKey: (kid) => keys.get(kid)?.publicKey ?? null,
    jwks: () => ({ keys: [...keys.values()].map((key) => key.jwk) }),
    sign: (domain, message) =>
      `${current.kid}.${sign(null, bytesOf(domain, message), current.privateKey).toString('base64url')}`,
    verify: (domain, message, signature) => {
      const dot = signature.indexOf('.');
      const key = keys.get(signature.slice(0, dot));
      if (dot < 0 || !key) return false;
      return verify(
        null,
        bytesOf(domain, message),
        key.publicKey,
        Buffer.from(signature.slice(dot + 1), 'base64url'),
      );
    },
  };
};
