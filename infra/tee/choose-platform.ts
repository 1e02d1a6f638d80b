import { HOST_MEASUREMENT } from '../../domain/enclave/measurement.ts';
import type { Detection } from './hardware/detect.ts';
import { snpPlatform } from './hardware/snp-platform.ts';
import type { TeePlatform } from './platform.ts';
import { simulatedPlatform } from './simulated/platform.ts';
import type { SimulatedChip } from './simulated/root.ts';

export interface ChosenPlatform {
  readonly platform: TeePlatform;
  /** Why it is this one, for the log. What it counts for is decided by whoever verifies its reports. */
  readonly reason: string;
}

/** A device can be there and yet not attest, for instance without its certificates: better known at the start. */
const tried = async (platform: TeePlatform): Promise<string | null> => {
  try {
    await platform.quote({ measurement: HOST_MEASUREMENT, reportData: new Uint8Array(64) });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

/**
 * The platform that a node attests its enclaves with: SEV-SNP hardware where it works, else its simulated chip.
 * @throws Error when there is neither.
 */
export const choosePlatform = async (
  detections: readonly Detection[],
  options: { readonly certificates: string; readonly chip: SimulatedChip | null },
): Promise<ChosenPlatform> => {
  const snp = detections.find(({ format }) => format === 'sev-snp');
  let reason = snp && snp.found === null ? snp.reason : 'no device was looked for';
  if (snp?.found) {
    const platform = snpPlatform(snp.found, options.certificates);
    const trouble = await tried(platform);
    if (trouble === null) return { platform, reason: `SEV-SNP by ${snp.found.device}` };
    reason = `SEV-SNP does not attest: ${trouble}`;
  }
  if (options.chip) return { platform: simulatedPlatform(options.chip), reason };
  throw new Error(`no attestation platform, and no simulated chip: ${reason}`);
};
