import { join } from 'node:path';
import { type TrustedRoot, VENDOR_ROOTS } from '../verify/index.ts';
import { loadTrustedRoot } from './simulated/files.ts';

/**
 * Roots this installation trusts: the vendors', and the simulated one of its data directory unless hardware is required.
 */
export const trustedRoots = async ({
  home,
  requireHardware,
}: {
  readonly home: string;
  readonly requireHardware: boolean;
}): Promise<readonly TrustedRoot[]> => {
  if (requireHardware) return VENDOR_ROOTS;
  const simulated = await loadTrustedRoot(join(home, 'tee', 'root'));
  return simulated ? [...VENDOR_ROOTS, simulated] : VENDOR_ROOTS;
};
