import { bytesToHex } from '@noble/hashes/utils.js';
import { equalBytes } from '../bytes.ts';
import { bitStringBytes, derReader, derSingle, derSmallInteger, MalformedError, TAG } from '../der.ts';
import { type Certificate, readExtensions, schemeOf, timeOf } from './certificate.ts';
import { isSignedBy, type SignedByAuthority } from './signature.ts';

/** A certificate revocation list (RFC 5280 §5) of an authority that signs its own. */
export interface RevocationList extends SignedByAuthority {
  readonly issuer: Uint8Array;
  /** Milliseconds since 1970. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Hex content of the revoked serial numbers. */
  readonly revoked: ReadonlySet<string>;
}

const isTime = (tag: number | null): boolean => tag === TAG.utcTime || tag === TAG.generalizedTime;

/** @throws MalformedError on anything but one DER list, version 2, with an end to its validity. */
export const parseRevocationList = (der: Uint8Array): RevocationList => {
  const outer = derReader(derSingle(der, TAG.sequence).body);
  const signed = outer.next(TAG.sequence);
  const algorithm = outer.next(TAG.sequence);
  const signature = bitStringBytes(outer.next(TAG.bitString));
  outer.end();

  const body = derReader(signed.body);
  if (derSmallInteger(body.next(TAG.integer).raw) !== 1)
    throw new MalformedError('not an X.509 version 2 revocation list');
  if (!equalBytes(body.next(TAG.sequence).raw, algorithm.raw))
    throw new MalformedError('inner and outer signature algorithm differ');
  const issuer = body.next(TAG.sequence).raw;
  const thisUpdate = timeOf(body);
  if (!isTime(body.peek())) throw new MalformedError('the revocation list never ends');
  const nextUpdate = timeOf(body);
  const revoked = new Set<string>();
  if (body.peek() === TAG.sequence) {
    const list = derReader(body.next().body);
    while (list.peek() !== null) {
      const entry = derReader(list.next(TAG.sequence).body);
      revoked.add(bytesToHex(entry.next(TAG.integer).body));
    }
  }
  // A critical extension would narrow what the list is about.
  if (body.peek() === 0xa0) readExtensions(body, 0xa0);
  body.end();
  return {
    signed: signed.raw,
    signature,
    scheme: schemeOf(algorithm.body),
    issuer,
    thisUpdate,
    nextUpdate,
    revoked,
  };
};

/** Whether the list names `authority` as its issuer; the signature is checked by `revocationVerdict`. */
export const isListOf = (list: RevocationList, authority: Certificate): boolean =>
  equalBytes(list.issuer, authority.subject);

/**
 * What the list says of `certificates` at `ms`; null when it is valid and names none of them.
 * @throws MalformedError on a signature that is not DER.
 */
export const revocationVerdict = async (
  list: RevocationList,
  authority: Certificate,
  certificates: readonly Certificate[],
  ms: number,
): Promise<string | null> => {
  if (!(await isSignedBy(list, authority))) return 'CRL_BAD_SIGNATURE';
  if (ms < list.thisUpdate) return 'CRL_NOT_YET_VALID';
  if (ms > list.nextUpdate) return 'CRL_EXPIRED';
  return certificates.some(({ serial }) => list.revoked.has(bytesToHex(serial))) ? 'REVOKED' : null;
};
