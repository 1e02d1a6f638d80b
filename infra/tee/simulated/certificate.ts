import { type KeyObject, randomBytes, sign } from 'node:crypto';
import { bits, flag, integer, octets, oid, sequence, set, tagged, time, utf8 } from './der.ts';

/** Organisation in every simulated certificate: nobody who reads one can mistake it. */
const SIMULATED_ORGANISATION = 'SIMULATED PLATFORM - NOT AMD';

type Digest = 'sha256' | 'sha384';

export interface CertificateOrder {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  /** P-384 private key of the issuer, or P-256 with `digest` sha256. */
  readonly issuerKey: KeyObject;
  /** Hash that the signature is over: AMD's form has sha384 (default), Intel's sha256. */
  readonly digest?: Digest;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly isAuthority: boolean;
  /** Further extensions: dotted OID and value without the outer OCTET STRING. */
  readonly extensions?: readonly (readonly [string, Uint8Array])[];
}

const ECDSA: Readonly<Record<Digest, Uint8Array>> = {
  sha256: sequence(oid('1.2.840.10045.4.3.2')),
  sha384: sequence(oid('1.2.840.10045.4.3.3')),
};

/** A body with its signature: the form that certificates and revocation lists share. `write` gets the algorithm. */
export const signedByAuthority = (
  write: (algorithm: Uint8Array) => Uint8Array,
  key: KeyObject,
  digest: Digest = 'sha384',
): Uint8Array => {
  const body = write(ECDSA[digest]);
  return sequence(body, ECDSA[digest], bits(sign(digest, body, key)));
};

/** Relative name of one attribute per set: O, then CN. */
export const nameOf = (common: string): Uint8Array =>
  sequence(
    set(sequence(oid('2.5.4.10'), utf8(SIMULATED_ORGANISATION))),
    set(sequence(oid('2.5.4.3'), utf8(common))),
  );

const extension = (id: string, critical: boolean, value: Uint8Array): Uint8Array =>
  sequence(oid(id), ...(critical ? [flag()] : []), octets(value));

const authorityExtensions = (): Uint8Array[] => [
  extension('2.5.29.19', true, sequence(flag())),
  // keyUsage keyCertSign: bit 5, hence two unused bits below it.
  extension('2.5.29.15', true, bits(Uint8Array.of(0x04), 2)),
];

/** Issues an X.509 v3 certificate (RFC 5280), signed with ECDSA. DER. */
export const issueCertificate = (order: CertificateOrder): Uint8Array => {
  const serial = randomBytes(16);
  // RFC 5280 §4.1.2.2: positive.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const extensions = [
    ...(order.isAuthority ? authorityExtensions() : []),
    ...(order.extensions ?? []).map(([id, value]) => extension(id, false, value)),
  ];
  const body = (algorithm: Uint8Array): Uint8Array =>
    sequence(
      tagged(0, integer(Uint8Array.of(2))),
      integer(serial),
      algorithm,
      nameOf(order.issuer),
      sequence(time(order.notBefore), time(order.notAfter)),
      nameOf(order.subject),
      order.publicKey.export({ type: 'spki', format: 'der' }),
      tagged(3, sequence(...extensions)),
    );
  return signedByAuthority(body, order.issuerKey, order.digest);
};
