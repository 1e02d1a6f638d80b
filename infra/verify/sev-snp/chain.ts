import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { equalBytes, splitCertificates } from '../bytes.ts';
import { MalformedError } from '../der.ts';
import type { TrustedRoot } from '../roots.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { isSignedBy } from '../x509/signature.ts';

/** Certificates of a report, as DER or PEM bytes: the chip's, and ASK then ARK (in one piece or one by one). */
export interface SnpCollateral {
  readonly vcek: Uint8Array;
  readonly chain: Uint8Array | readonly Uint8Array[];
}

/** VCEK, then ASK, then ARK. The depth is fixed: a chip key that signs a further certificate gains nothing. */
export type SnpChain = readonly [vcek: Certificate, ask: Certificate, ark: Certificate];

/** @throws MalformedError when it is not one VCEK and a chain of two. */
export const parseChain = (collateral: SnpCollateral): SnpChain => {
  const { chain } = collateral;
  const pieces = chain instanceof Uint8Array ? [chain] : chain;
  if (pieces.length > 2) throw new MalformedError('the chain is ASK then ARK');
  const [vcek] = splitCertificates(collateral.vcek, 1);
  const [ask, ark, ...rest] = pieces.flatMap((piece) => splitCertificates(piece, 2));
  if (!vcek || !ask || !ark || rest.length > 0) throw new MalformedError('the chain is ASK then ARK');
  return [parseCertificate(vcek), parseCertificate(ask), parseCertificate(ark)];
};

const keyHash = (certificate: Certificate): string => bytesToHex(sha256(certificate.publicKey));

/** The trusted root that the chain ends in, by key hash; undefined when it is no trusted one. */
export const rootOf = ([, , ark]: SnpChain, roots: readonly TrustedRoot[]): TrustedRoot | undefined =>
  roots.find((root) => root.keyHash === keyHash(ark));

const issued = async (certificate: Certificate, issuer: Certificate): Promise<boolean> =>
  issuer.isAuthority &&
  equalBytes(certificate.issuer, issuer.subject) &&
  (await isSignedBy(certificate, issuer));

/** Names, authority bits and signatures from the self-signed ARK down to the VCEK. @throws MalformedError */
export const chainHolds = async ([vcek, ask, ark]: SnpChain): Promise<boolean> => {
  const links = await Promise.all([issued(ark, ark), issued(ask, ark), issued(vcek, ask)]);
  return links.every(Boolean) && !vcek.isAuthority;
};
