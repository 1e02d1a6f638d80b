import type { PlatformLabel } from '../../domain/enclave/events.ts';
import type { TcbLayout } from './sev-snp/chip.ts';

/** A root key that a verifier trusts, and what a chain that ends in it stands for. */
export interface TrustedRoot {
  /** Hex SHA-256 of the root's SubjectPublicKeyInfo in DER. */
  readonly keyHash: string;
  readonly platform: PlatformLabel;
  readonly name: string;
  readonly tcbLayout: TcbLayout;
}

/** AMD's root keys, pinned by the hash of the key in the published ARK certificates. */
export const AMD_ROOTS: readonly TrustedRoot[] = [
  {
    name: 'AMD Milan',
    platform: 'hardware',
    tcbLayout: 'milan',
    keyHash: '9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9',
  },
  {
    name: 'AMD Genoa',
    platform: 'hardware',
    tcbLayout: 'milan',
    keyHash: '429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831',
  },
  {
    name: 'AMD Turin',
    platform: 'hardware',
    tcbLayout: 'turin',
    keyHash: '4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08',
  },
];
