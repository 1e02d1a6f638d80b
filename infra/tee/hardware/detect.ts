import { access } from 'node:fs/promises';
import type { AttestationFormat } from '../../verify/index.ts';
import { type DeviceFiles, systemFiles } from './files.ts';
import { gramineType, readGramineQuote } from './gramine.ts';
import { readTsmReport, tsmProvider } from './tsm.ts';

/** Where a machine keeps its attestation devices. */
export interface DevicePaths {
  readonly tsm: string;
  readonly gramine: string;
  readonly sevGuest: string;
}

export const SYSTEM_DEVICES: DevicePaths = {
  tsm: '/sys/kernel/config/tsm/report',
  gramine: '/dev/attestation',
  sevGuest: '/dev/sev-guest',
};

export const HARDWARE_FORMATS = [
  'sev-snp',
  'tdx-dcap',
  'sgx-dcap',
] as const satisfies readonly AttestationFormat[];
export type HardwareFormat = (typeof HARDWARE_FORMATS)[number];

/** Evidence as the hardware gave it. */
export interface HardwareEvidence {
  readonly evidence: Uint8Array;
  /** SEV-SNP's certificate table, where the host provides one. */
  readonly auxiliary: Uint8Array;
}

/** An attestation device of this machine. */
export interface HardwareDevice {
  readonly format: HardwareFormat;
  readonly device: 'configfs-tsm' | 'gramine';
  /** Evidence over 64 bytes of report data. */
  attest(reportData: Uint8Array): Promise<HardwareEvidence>;
}

/** What was found for one format; `reason` says why there is nothing. */
export type Detection =
  | { readonly format: HardwareFormat; readonly found: HardwareDevice }
  | { readonly format: HardwareFormat; readonly found: null; readonly reason: string };

const FORMAT_OF: Readonly<Record<string, HardwareFormat>> = { sev_guest: 'sev-snp', tdx_guest: 'tdx-dcap' };

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Provider of configfs-tsm, or why there is none. */
const askTsm = async (
  files: DeviceFiles,
  { tsm, sevGuest }: DevicePaths,
): Promise<{ provider: string | null; reason: string }> => {
  if (!(await exists(tsm))) {
    const reason = (await exists(sevGuest))
      ? `${sevGuest} is there, but its kernel is older than Linux 6.7: no configfs-tsm`
      : 'no configfs-tsm on this machine';
    return { provider: null, reason };
  }
  try {
    const provider = await tsmProvider(files, tsm);
    return { provider, reason: `configfs-tsm is of ${provider === '' ? 'no provider' : provider}` };
  } catch (error) {
    // Without a provider the kernel refuses the entry; without the rights it refuses the user.
    return { provider: null, reason: `configfs-tsm: ${(error as Error).message}` };
  }
};

/** Looks for attestation devices. Nothing is written but an entry of configfs, which is removed again. */
export const detectHardware = async (
  files: DeviceFiles = systemFiles,
  paths: DevicePaths = SYSTEM_DEVICES,
): Promise<readonly Detection[]> => {
  const [{ provider, reason }, type] = await Promise.all([
    askTsm(files, paths),
    gramineType(files, paths.gramine),
  ]);
  const ofTsm = (format: HardwareFormat): Detection => {
    if (provider === null || FORMAT_OF[provider] !== format) return { format, found: null, reason };
    const attest = (reportData: Uint8Array): Promise<HardwareEvidence> =>
      readTsmReport(files, paths.tsm, reportData).then(({ report, auxiliary }) => ({
        evidence: report,
        auxiliary,
      }));
    return { format, found: { format, device: 'configfs-tsm', attest } };
  };
  const ofGramine = (): Detection => {
    const format = 'sgx-dcap';
    if (type !== 'dcap') {
      const why = type === '' ? 'not inside Gramine' : `Gramine attests by ${type}, not DCAP`;
      return { format, found: null, reason: why };
    }
    const attest = async (reportData: Uint8Array): Promise<HardwareEvidence> => ({
      evidence: await readGramineQuote(files, paths.gramine, reportData),
      auxiliary: new Uint8Array(0),
    });
    return { format, found: { format, device: 'gramine', attest } };
  };
  return [ofTsm('sev-snp'), ofTsm('tdx-dcap'), ofGramine()];
};
