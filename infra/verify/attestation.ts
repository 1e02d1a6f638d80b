import { verifyCca } from './cose/cca.ts';
import { type TokenInput, verifyPsa } from './cose/psa.ts';
import { type DcapInput, verifyDcap } from './dcap/verify.ts';
import { type AttestationFormat } from './roots.ts';
import { type SnpInput, verifySnp } from './sev-snp/verify.ts';
import { type AttestationVerdict, unreadable } from './verdict.ts';

/** Evidence, its collateral and what is demanded of it, by format. */
export type AttestationInput =
  | ({ readonly format: 'sev-snp' } & SnpInput)
  | DcapInput
  | ({ readonly format: 'psa' | 'cca' } & TokenInput);

type Verifier = (input: never) => Promise<AttestationVerdict>;

const VERIFIERS: Readonly<Record<AttestationFormat, Verifier>> = {
  'sev-snp': verifySnp,
  'sgx-dcap': verifyDcap,
  'tdx-dcap': verifyDcap,
  psa: verifyPsa,
  cca: verifyCca,
};

/**
 * Verifies attestation evidence. `verified` (genuine) and `acceptable` (policy agrees) are different answers; `reasons`
 * lists every step with its own code. Never throws on foreign bytes; only on a `now` that is not an instant.
 */
export const verifyAttestation = async (input: AttestationInput): Promise<AttestationVerdict> => {
  if (!Object.hasOwn(VERIFIERS, input.format)) return unreadable('UNSUPPORTED_FORMAT', []);
  if (!ArrayBuffer.isView(input.evidence)) return unreadable('MALFORMED', []);
  if (typeof input.collateral !== 'object' || input.collateral === null)
    return unreadable('BAD_COLLATERAL', []);
  return VERIFIERS[input.format](input as never);
};
