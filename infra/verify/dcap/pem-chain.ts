import { splitCertificates } from '../bytes.ts';
import { MalformedError } from '../der.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';

const WHOLE =
  /^(?:-----BEGIN CERTIFICATE-----\r?\n(?:[A-Za-z0-9+/=]+\r?\n)+-----END CERTIFICATE-----(?:\r?\n)?)+\0?$/;

/** A chain as Intel writes it: PEM blocks and nothing between them; C code leaves a zero at the end. */
export const parsePemChain = (bytes: Uint8Array, depth: number): Certificate[] => {
  if (!WHOLE.test(new TextDecoder().decode(bytes))) throw new MalformedError('not a chain of PEM blocks');
  const found = splitCertificates(bytes, depth).map(parseCertificate);
  if (found.length !== depth) throw new MalformedError(`a chain of ${found.length}, not ${depth}`);
  return found;
};
