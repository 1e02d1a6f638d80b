import { splitCertificates } from '../bytes.ts';
import { MalformedError } from '../der.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { parseRevocationList, type RevocationList } from '../x509/crl.ts';

/** Certificates of a report, as DER or PEM bytes: the chip's, and ASK then ARK (in one piece or one by one). */
export interface SnpCollateral {
  readonly vcek: Uint8Array;
  readonly chain: Uint8Array | readonly Uint8Array[];
  /** AMD's revocation list in DER: issued by the ARK, over the intermediates. Optional. */
  readonly crl?: Uint8Array | undefined;
}

/** VCEK, then ASK, then ARK. The depth is fixed: a chip key that signs a further certificate gains nothing. */
export type SnpChain = readonly [vcek: Certificate, ask: Certificate, ark: Certificate];

export interface SnpAuthorities {
  readonly chain: SnpChain;
  readonly crl: RevocationList | null;
}

/** @throws MalformedError when it is not one VCEK and a chain of two, and at most one revocation list. */
export const parseCollateral = (collateral: SnpCollateral): SnpAuthorities => {
  const { chain, crl } = collateral;
  const pieces = Array.isArray(chain) ? (chain as readonly Uint8Array[]) : [chain as Uint8Array];
  if (pieces.length > 2) throw new MalformedError('the chain is ASK then ARK');
  if (
    ![collateral.vcek, ...pieces, ...(crl === undefined ? [] : [crl])].every((each) =>
      ArrayBuffer.isView(each),
    )
  )
    throw new MalformedError('certificates are given as bytes');
  const [vcek] = splitCertificates(collateral.vcek, 1);
  const [ask, ark, ...rest] = pieces.flatMap((piece) => splitCertificates(piece, 2));
  if (!vcek || !ask || !ark || rest.length > 0) throw new MalformedError('the chain is ASK then ARK');
  return {
    chain: [parseCertificate(vcek), parseCertificate(ask), parseCertificate(ark)],
    crl: crl === undefined ? null : parseRevocationList(crl),
  };
};
