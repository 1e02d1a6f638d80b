import type { AttestationEvidence } from '../../domain/mesh/messages.ts';
import { verifyAttestation } from './attestation.ts';
import { fromBase64Url } from './bytes.ts';
import { MalformedError } from './der.ts';
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

/** Verifies evidence as it travels: base64url text. What does not decode is a verdict like any other bad evidence. */
export const verifyEvidence = (
  { report, certificates }: Pick<AttestationEvidence, 'report' | 'certificates'>,
  demands: Pick<SnpInput, 'now' | 'policy' | 'expected'>,
): Promise<AttestationVerdict> => {
  const [vcek = NOTHING, ...chain] = certificates.map(bytesOrNothing);
  return verifyAttestation({
    format: 'sev-snp',
    evidence: bytesOrNothing(report),
    collateral: { vcek, chain },
    ...demands,
  });
};
