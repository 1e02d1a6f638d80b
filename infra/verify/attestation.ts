import { type AttestationVerdict, type SnpInput, verifySnp } from './sev-snp/verify.ts';

/** Evidence, its collateral and what is demanded of it, by format. */
export type AttestationInput = { readonly format: 'sev-snp' } & SnpInput;

/**
 * Verifies attestation evidence. `verified` (genuine) and `acceptable` (policy agrees) are different answers; `reasons`
 * lists every step with its own code. Never throws on foreign bytes; only on a `now` that is not an instant.
 */
export const verifyAttestation = (input: AttestationInput): Promise<AttestationVerdict> => verifySnp(input);
