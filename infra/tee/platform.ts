import type { Platform } from '../../domain/enclave/events.ts';
import { HOST_MEASUREMENT, reportData } from '../../domain/enclave/measurement.ts';
import type { AttestationEvidence } from '../../domain/mesh/messages.ts';
import { toBase64Url } from '../verify/bytes.ts';

/** What a platform is asked to vouch for. */
export interface ReportRequest {
  /** Hex SHA-384 launch measurement. */
  readonly measurement: string;
  /** 64 bytes that the report binds. */
  readonly reportData: Uint8Array;
}

/** A report and everything a stranger needs to verify it: DER of the chip's certificate, then the chain to the root. */
export interface Quote {
  readonly report: Uint8Array;
  readonly certificates: readonly Uint8Array[];
}

/** A machine's attestation device, real or simulated. */
export interface TeePlatform {
  readonly name: Platform;
  /** Set when reports measure the host's image, which vouches for what it measured itself. */
  readonly binding?: 'host';
  quote(request: ReportRequest): Promise<Quote>;
}

export const evidenceOf = (platform: TeePlatform, { report, certificates }: Quote): AttestationEvidence => ({
  platform: platform.name,
  report: toBase64Url(report),
  certificates: certificates.map(toBase64Url),
  ...(platform.binding && { binding: platform.binding }),
});

/** Attests a node itself rather than an enclave. `nonce` and `key` (the node's public key): hex of 32 bytes. */
export const attestHost = async (
  platform: TeePlatform,
  nonce: string,
  key: string,
): Promise<AttestationEvidence> =>
  evidenceOf(
    platform,
    await platform.quote({ measurement: HOST_MEASUREMENT, reportData: reportData(nonce, key) }),
  );
