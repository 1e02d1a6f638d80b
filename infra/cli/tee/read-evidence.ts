import { splitCertificates } from '../../verify/bytes.ts';
import { MalformedError } from '../../verify/der.ts';
import type { AttestationFormat, AttestationInput } from '../../verify/index.ts';
import { refuse } from '../failure.ts';

type Collateral = AttestationInput['collateral'];

/** Chip certificate, then ASK and ARK: in one file each, two files or one. */
const SNP_CERTIFICATES = 3;

const snpCollateral = (files: readonly Uint8Array[]): Collateral => {
  try {
    const [vcek, ...chain] = files.flatMap((file) => splitCertificates(file, SNP_CERTIFICATES));
    // The verifier itself says when there are too few or too many.
    return { vcek: vcek ?? new Uint8Array(0), chain };
  } catch (error) {
    if (error instanceof MalformedError) return { vcek: new Uint8Array(0), chain: [] };
    throw error;
  }
};

const only = (files: readonly Uint8Array[], what: string): Uint8Array => {
  const [file, ...more] = files;
  if (!file || more.length > 0) throw refuse(`--collateral: give one file, ${what}`);
  return file;
};

const json = (file: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(file));
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
};

/** Collateral of a format from the files that hold it. What they hold is for the verifier to judge. */
export const collateralFrom = (format: AttestationFormat, files: readonly Uint8Array[]): Collateral => {
  switch (format) {
    case 'sev-snp':
      return snpCollateral(files);
    case 'sgx-dcap':
    case 'tdx-dcap':
      return json(only(files, 'the published DCAP collateral in JSON')) as Collateral;
    case 'psa':
    case 'cca':
      return { key: only(files, 'the public key of the platform') };
  }
};
