import { randomBytes, sign } from 'node:crypto';
import { ECDSA_P384_SHA384, SNP } from '../../verify/sev-snp/report.ts';
import type { ReportRequest, TeePlatform } from '../platform.ts';
import type { SecurityVersions, SimulatedChip } from './root.ts';

/** Guest policy: reserved bit 17, which must be one, and no debugging. */
const GUEST_POLICY = 1n << 17n;

/** Everything in a report that is not fixed by its format. */
export interface ReportFields extends ReportRequest {
  readonly policy?: bigint;
  readonly vmpl?: number;
  readonly chipId: Uint8Array;
  readonly versions: SecurityVersions;
}

/** The signed part of a report, with an empty signature behind it. */
export const unsignedReport = (fields: ReportFields): Uint8Array => {
  const report = new Uint8Array(SNP.size);
  const view = new DataView(report.buffer);
  view.setUint32(SNP.version, 2, true);
  view.setBigUint64(SNP.policy, fields.policy ?? GUEST_POLICY, true);
  view.setUint32(SNP.vmpl, fields.vmpl ?? 0, true);
  view.setUint32(SNP.signatureAlgorithm, ECDSA_P384_SHA384, true);
  report.set(fields.reportData, SNP.reportData);
  report.set(Buffer.from(fields.measurement, 'hex'), SNP.measurement);
  report.set(randomBytes(32), SNP.reportId);
  const { bootLoader, tee, snp, microcode } = fields.versions;
  report.set([bootLoader, tee, 0, 0, 0, 0, snp, microcode], SNP.reportedTcb);
  report.set(fields.chipId, SNP.chipId);
  return report;
};

/** Signs in place and returns `report`: r and s little-endian in fields of 72 bytes. */
export const signReport = (report: Uint8Array, chip: SimulatedChip): Uint8Array => {
  const signature = sign('sha384', report.subarray(0, SNP.signedSize), {
    key: chip.key,
    dsaEncoding: 'ieee-p1363',
  });
  report.set(signature.subarray(0, 48).reverse(), SNP.r);
  report.set(signature.subarray(48).reverse(), SNP.s);
  return report;
};

/** A platform that signs genuine SEV-SNP bytes with a chip of a simulated root. */
export const simulatedPlatform = (chip: SimulatedChip): TeePlatform => ({
  name: 'amd_sev_snp',
  quote: async ({ measurement, reportData }) => ({
    report: signReport(
      unsignedReport({ measurement, reportData, chipId: chip.chipId, versions: chip.versions }),
      chip,
    ),
    certificates: chip.certificates,
  }),
});
