import type { PlatformLabel } from '../../domain/enclave/events.ts';
import type { TcbLayout } from './sev-snp/chip.ts';

export const ATTESTATION_FORMATS = ['sev-snp', 'sgx-dcap', 'tdx-dcap', 'psa', 'cca'] as const;
export type AttestationFormat = (typeof ATTESTATION_FORMATS)[number];

/** A root key that a verifier trusts, and what a chain that ends in it stands for. */
export interface TrustedRoot {
  /** Hex SHA-256 of the root's SubjectPublicKeyInfo in DER. */
  readonly keyHash: string;
  readonly platform: PlatformLabel;
  readonly name: string;
  /** SEV-SNP: where the chips under this root keep their security versions. Default `milan`. */
  readonly tcbLayout?: TcbLayout;
  /** The only formats that it may vouch for; any when absent. */
  readonly formats?: readonly AttestationFormat[];
  /**
   * Hex measurements of the host images that are believed when they vouch for a module that they measured themselves.
   * None unless given: hardware tells which image runs, not whether it is honest.
   */
  readonly hostImages?: readonly string[];
}

/** AMD's root keys, pinned by the hash of the key in the published ARK certificates. */
export const AMD_ROOTS: readonly TrustedRoot[] = [
  {
    name: 'AMD Milan',
    platform: 'hardware',
    formats: ['sev-snp'],
    tcbLayout: 'milan',
    keyHash: '9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9',
  },
  {
    name: 'AMD Genoa',
    platform: 'hardware',
    formats: ['sev-snp'],
    tcbLayout: 'milan',
    keyHash: '429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831',
  },
  {
    name: 'AMD Turin',
    platform: 'hardware',
    formats: ['sev-snp'],
    tcbLayout: 'turin',
    keyHash: '4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08',
  },
];

/** Intel's SGX Root CA, pinned by the hash of the key in the published certificate. */
export const INTEL_ROOTS: readonly TrustedRoot[] = [
  {
    name: 'Intel SGX Root CA',
    platform: 'hardware',
    formats: ['sgx-dcap', 'tdx-dcap'],
    keyHash: 'a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e',
  },
];

/** The default trust store. Arm's platforms have no common root: their keys are put in one by one. */
export const VENDOR_ROOTS: readonly TrustedRoot[] = [...AMD_ROOTS, ...INTEL_ROOTS];

/** The roots of `store` that may vouch for `format`. */
export const rootsFor = (
  format: AttestationFormat,
  store: readonly TrustedRoot[] = VENDOR_ROOTS,
): readonly TrustedRoot[] => store.filter(({ formats }) => formats === undefined || formats.includes(format));
