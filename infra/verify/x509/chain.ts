import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { equalBytes } from '../bytes.ts';
import type { TrustedRoot } from '../roots.ts';
import type { Verdict } from '../steps.ts';
import type { Certificate } from './certificate.ts';
import { isSignedBy } from './signature.ts';

/** Leaf first, self-signed root last, and of a fixed depth: a leaf that signs a further certificate gains nothing. */
export type Chain = readonly [leaf: Certificate, ...authorities: Certificate[]];

/** Hex SHA-256 of a SubjectPublicKeyInfo: what a root is pinned by. */
export const keyHashOf = (spki: Uint8Array): string => bytesToHex(sha256(spki));

/** The trusted root that the chain ends in, by key hash; undefined when it is no trusted one. */
export const rootOf = (chain: Chain, roots: readonly TrustedRoot[]): TrustedRoot | undefined => {
  const hash = keyHashOf((chain.at(-1) as Certificate).publicKey);
  return roots.find((root) => root.keyHash === hash);
};

const issued = async (certificate: Certificate, issuer: Certificate): Promise<boolean> =>
  issuer.isAuthority &&
  equalBytes(certificate.issuer, issuer.subject) &&
  (await isSignedBy(certificate, issuer));

/** Names, authority bits and signatures from the self-signed root down to the leaf. @throws MalformedError */
export const chainHolds = async (chain: Chain): Promise<boolean> => {
  const links = await Promise.all(
    chain.map((certificate, index) => issued(certificate, chain[index + 1] ?? certificate)),
  );
  return links.every(Boolean) && !chain[0].isAuthority;
};

/** Whether every certificate is in its validity period at `ms`. */
export const validityVerdict = (certificates: readonly Certificate[], ms: number): Verdict => {
  if (certificates.some((certificate) => ms < certificate.notBefore)) return 'NOT_YET_VALID';
  return certificates.some((certificate) => ms > certificate.notAfter) ? 'EXPIRED' : null;
};
