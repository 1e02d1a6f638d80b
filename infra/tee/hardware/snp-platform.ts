import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostReportData } from '../../../domain/enclave/measurement.ts';
import type { TeePlatform } from '../platform.ts';
import { parseCertificateTable } from './certificate-table.ts';
import type { HardwareDevice } from './detect.ts';

type Chain = readonly [vcek: Uint8Array, ask: Uint8Array, ark: Uint8Array];

const chainOfTable = (auxiliary: Uint8Array): Chain | null => {
  const table = parseCertificateTable(auxiliary);
  const [vcek, ask, ark] = (['vcek', 'ask', 'ark'] as const).map((name) => table.get(name));
  return vcek && ask && ark ? [vcek, ask, ark] : null;
};

const chainOfFolder = async (folder: string): Promise<Chain> => {
  const [vcek, ask, ark] = await Promise.all(
    ['vcek.der', 'ask.der', 'ark.der'].map((name) => readFile(join(folder, name))),
  );
  return [vcek, ask, ark] as unknown as Chain;
};

/**
 * An SEV-SNP guest as a platform. The chip measures the guest's image, not a module: the image, which verifiers allow by
 * its measurement, vouches for the module through the report data.
 * @param folder holds vcek.der, ask.der and ark.der, for hosts that hand out no certificate table
 */
export const snpPlatform = (device: HardwareDevice, folder: string): TeePlatform => ({
  name: 'amd_sev_snp',
  binding: 'host',
  quote: async ({ measurement, reportData }) => {
    const { evidence, auxiliary } = await device.attest(hostReportData(measurement, reportData));
    return {
      report: evidence,
      certificates: chainOfTable(auxiliary) ?? (await chainOfFolder(folder)),
    };
  },
});
