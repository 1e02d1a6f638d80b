import { isBytes } from '@noble/hashes/utils.js';
import { verifyCca } from './cose/cca.ts';
import { type TokenInput, verifyPsa } from './cose/psa.ts';
import { type DcapInput, verifyDcap } from './dcap/verify.ts';
import { type AttestationFormat } from './roots.ts';
import { type SnpInput, verifySnp } from './sev-snp/verify.ts';
import { stepOf } from './steps.ts';
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

/** Formats with registers that what runs extends after its launch. */
const HAS_REGISTERS: readonly AttestationFormat[] = ['tdx-dcap', 'cca'];

/** Registers that the format lacks hold nothing that could be demanded of them. */
const withoutRegisters = (
  verdict: AttestationVerdict,
  { format, expected }: AttestationInput,
): AttestationVerdict => {
  if (expected?.runtimeMeasurements === undefined || HAS_REGISTERS.includes(format)) return verdict;
  const step = stepOf('runtime-measurements', 'RUNTIME_MEASUREMENT_MISMATCH');
  return { ...verdict, acceptable: false, reasons: [...verdict.reasons, step] };
};

/**
 * Verifies attestation evidence. `verified` (genuine) and `acceptable` (policy agrees) are different answers; `reasons`
 * lists every step with its own code. Never throws on foreign bytes; only on a `now` that is not an instant.
 */
export const verifyAttestation = async (input: AttestationInput): Promise<AttestationVerdict> => {
  if (typeof input?.format !== 'string' || !Object.hasOwn(VERIFIERS, input.format))
    return unreadable('UNSUPPORTED_FORMAT', []);
  if (!isBytes(input.evidence)) return unreadable('MALFORMED', []);
  if (typeof input.collateral !== 'object' || input.collateral === null)
    return unreadable('BAD_COLLATERAL', []);
  return withoutRegisters(await VERIFIERS[input.format](input as never), input);
};
