import { createHash } from 'node:crypto';
import type {
  EnclaveConfig,
  Platform,
  PlatformLabel,
  VerificationStep,
} from '../../domain/enclave/events.ts';
import { HOST_MEASUREMENT, measurementOf, moduleSha384 } from '../../domain/enclave/measurement.ts';
import type { AttestationEvidence } from '../../domain/mesh/messages.ts';
import type { Artifacts } from '../../domain/ports/artifacts.ts';
import { addSeconds } from '../../domain/time.ts';
import { type TrustedRoot, verifyEvidence } from '../verify/index.ts';
import { parseSnpReport } from '../verify/sev-snp/report.ts';

/** What is to be attested, and the key that the report has to bind (hex). */
export type AttestationSubject =
  | {
      readonly type: 'host';
      readonly providerId: string;
      readonly publicKey: string;
      readonly platform: Platform;
    }
  | {
      readonly type: 'enclave';
      readonly providerId: string;
      readonly enclaveId: string;
      readonly enclaveKey: string;
      readonly codeHash: string;
      readonly config: EnclaveConfig;
    };

export interface AttestationReport {
  readonly reportHash: string;
  readonly measurement: string;
  readonly label: PlatformLabel;
  /** Hex of the 64 bytes by which the report names its chip. */
  readonly chipId: string;
  readonly steps: readonly VerificationStep[];
  /** Base64url; DER certificates from the chip's up to the root. */
  readonly report: string;
  readonly certificates: readonly string[];
  readonly attestedAt: string;
  readonly expiresAt: string;
}

/** A verdict with every step that led to it. */
export type Judgement =
  | { readonly ok: true; readonly report: AttestationReport }
  | { readonly ok: false; readonly message: string; readonly steps: readonly VerificationStep[] };

export interface AttestationJudge {
  judge(
    subject: AttestationSubject,
    nonce: string,
    evidence: AttestationEvidence,
    options: { readonly allowSimulated: boolean },
  ): Promise<Judgement>;
}

/** The chip that an SEV-SNP report (base64url) names. @throws MalformedError on what was never accepted. */
const chipIdOf = (report: string): string =>
  Buffer.from(parseSnpReport(Buffer.from(report, 'base64url')).chipId).toString('hex');

/** How long an accepted report holds; longer than any job takes to launch. */
const ATTESTATION_SECONDS = 24 * 3600;

/** The first broken step in words. */
export const brokenStep = (steps: readonly VerificationStep[]): string => {
  const step = steps.find((each) => !each.ok);
  return step ? `${step.step}: ${step.code}` : 'refused by policy';
};

/** The one place where the engine decides what a node's evidence is worth. */
export const createAttestationJudge = ({
  artifacts,
  roots,
  now,
}: {
  readonly artifacts: Pick<Artifacts, 'read'>;
  /** Roots that the engine trusts. */
  readonly roots: readonly TrustedRoot[];
  readonly now: () => string;
}): AttestationJudge => {
  const measurementFor = async (subject: AttestationSubject): Promise<string> => {
    if (subject.type === 'host') return HOST_MEASUREMENT;
    const module = await artifacts.read(subject.codeHash);
    if (!module) throw new Error(`artefact ${subject.codeHash} is gone`);
    return measurementOf(moduleSha384(module), subject.config);
  };

  return {
    async judge(subject, nonce, evidence, { allowSimulated }) {
      const measurement = await measurementFor(subject);
      const at = now();
      const verdict = await verifyEvidence(evidence, {
        now: at,
        policy: { roots, allowSimulated },
        expected: {
          measurement,
          nonce,
          key: subject.type === 'host' ? subject.publicKey : subject.enclaveKey,
        },
      });
      const steps = verdict.reasons;
      if (!verdict.acceptable) return { ok: false, message: brokenStep(steps), steps };
      return {
        ok: true,
        report: {
          reportHash: createHash('sha256').update(evidence.report, 'base64url').digest('hex'),
          measurement,
          label: verdict.platform,
          chipId: chipIdOf(evidence.report),
          steps,
          report: evidence.report,
          certificates: evidence.certificates,
          attestedAt: at,
          expiresAt: addSeconds(at, ATTESTATION_SECONDS),
        },
      };
    },
  };
};
