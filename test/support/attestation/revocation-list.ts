import type { KeyObject } from 'node:crypto';
import { nameOf, signedByAuthority } from '../../../infra/tee/simulated/certificate.ts';
import { integer, sequence, time } from '../../../infra/tee/simulated/der.ts';

export interface ListOrder {
  readonly issuer: string;
  readonly key: KeyObject;
  readonly digest?: 'sha256' | 'sha384';
  /** Milliseconds since 1970. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Big-endian serial numbers. */
  readonly revoked: readonly Uint8Array[];
}

/** Issues a certificate revocation list (RFC 5280 §5) in DER. */
export const revocationList = (order: ListOrder): Uint8Array => {
  const entries = order.revoked.map((serial) => sequence(integer(serial), time(order.thisUpdate)));
  const body = (algorithm: Uint8Array): Uint8Array =>
    sequence(
      integer(Uint8Array.of(1)),
      algorithm,
      nameOf(order.issuer),
      time(order.thisUpdate),
      time(order.nextUpdate),
      ...(entries.length > 0 ? [sequence(...entries)] : []),
    );
  return signedByAuthority(body, order.key, order.digest);
};
