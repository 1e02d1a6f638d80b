import { hostReportData, reportData } from '../../domain/enclave/measurement.ts';
import type { AttestationEvidence } from '../../domain/mesh/messages.ts';
import { verifyAttestation } from './attestation.ts';
import { fromBase64Url } from './bytes.ts';
import { MalformedError } from './der.ts';
import { VENDOR_ROOTS } from './roots.ts';
import type { SnpInput } from './sev-snp/verify.ts';
import type { AttestationVerdict } from './verdict.ts';

const NOTHING = new Uint8Array(0);

/** Bytes of base64url text; empty, which no format accepts, when it is not canonical. */
export const bytesOrNothing = (text: string): Uint8Array => {
  try {
    return fromBase64Url(text);
  } catch (error) {
    if (error instanceof MalformedError) return NOTHING;
    throw error;
  }
};

type Demands = Pick<SnpInput, 'now' | 'policy'> & { readonly expected: EvidenceExpectation };

/** What evidence must say: the module's measurement, and nonce and key (hex) that it binds. */
export interface EvidenceExpectation {
  readonly measurement: string;
  readonly nonce: string;
  readonly key: string;
}

/**
 * The demands on a report of hardware that measures the host's image: the image is one that the trust store believes,
 * and it vouches for the module by the report data.
 */
const onHost = ({ now, policy, expected }: Demands): Pick<SnpInput, 'now' | 'policy' | 'expected'> => {
  const images = (policy?.roots ?? VENDOR_ROOTS).flatMap(({ hostImages = [] }) => hostImages);
  const { measurement, nonce, key } = expected;
  return {
    now,
    policy: { ...policy, measurements: images },
    expected: { reportData: hostReportData(measurement, reportData(nonce, key)) },
  };
};

/** Verifies evidence as it travels: base64url text. What does not decode is a verdict like any other bad evidence. */
export const verifyEvidence = (
  { report, certificates, binding }: Pick<AttestationEvidence, 'report' | 'certificates' | 'binding'>,
  demands: Demands,
): Promise<AttestationVerdict> => {
  const [vcek = NOTHING, ...chain] = certificates.map(bytesOrNothing);
  return verifyAttestation({
    format: 'sev-snp',
    evidence: bytesOrNothing(report),
    collateral: { vcek, chain },
    ...(binding === 'host' ? onHost(demands) : demands),
  });
};
