import { join } from 'node:path';
import { type TrustedRoot, VENDOR_ROOTS } from '../verify/index.ts';
import { loadTrustedRoot } from './simulated/files.ts';

/**
 * Roots this installation trusts: the vendors', and the simulated one of its data directory unless hardware is required.
 */
export const trustedRoots = async ({
  home,
  requireHardware,
  hostImages,
}: {
  readonly home: string;
  readonly requireHardware: boolean;
  /** Hex measurements of the host images that are believed about the modules they run. */
  readonly hostImages: readonly string[];
}): Promise<readonly TrustedRoot[]> => {
  const vendors = VENDOR_ROOTS.map((root) => ({ ...root, hostImages }));
  if (requireHardware) return vendors;
  const simulated = await loadTrustedRoot(join(home, 'tee', 'root'));
  return simulated ? [...vendors, simulated] : vendors;
};
