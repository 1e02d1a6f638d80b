import { createHash } from 'node:crypto';
import type {
  EnclaveConfig,
  Platform,
  PlatformLabel,
  VerificationStep,
} from '../../domain/enclave/events.ts';
import { HOST_MEASUREMENT, measurementOf, moduleSha384 } from '../../domain/enclave/measurement.ts';
import { ok, type Result, reject } from '../../domain/errors.ts';
import type { AttestationEvidence } from '../../domain/mesh/messages.ts';
import type { Artifacts } from '../../domain/ports/artifacts.ts';
import type { NodeGateway } from '../../domain/ports/node-gateway.ts';
import { addSeconds } from '../../domain/time.ts';
import { fromBase64Url } from '../verify/bytes.ts';
import { type TrustedRoot, verifyAttestation } from '../verify/index.ts';

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
  readonly steps: readonly VerificationStep[];
  /** Base64url; DER certificates from the chip's up to the root. */
  readonly report: string;
  readonly certificates: readonly string[];
  readonly expiresAt: string;
}

export interface Attestor {
  /** Asks the node for a report over `nonce` (hex, 32 bytes) and verifies it; a refusal names every failed step. */
  attest(
    subject: AttestationSubject,
    nonce: string,
    options: { readonly allowSimulated: boolean },
  ): Promise<Result<AttestationReport>>;
}

export interface AttestorDeps {
  readonly gateway: Pick<NodeGateway, 'request'>;
  readonly artifacts: Pick<Artifacts, 'read'>;
  readonly roots: readonly TrustedRoot[];
  readonly now: () => string;
}

const TIMEOUT_MS = 15_000;
const ATTESTATION_SECONDS = 24 * 3600;

export const createAttestor = ({ gateway, artifacts, roots, now }: AttestorDeps): Attestor => {
  const ask = (subject: AttestationSubject, nonce: string) =>
    gateway.request(
      subject.providerId,
      subject.type === 'host'
        ? { type: 'attest-host', platform: subject.platform, nonce }
        : { type: 'attest-enclave', enclaveId: subject.enclaveId, nonce },
      { timeoutMs: TIMEOUT_MS },
    );

  const measurementFor = async (subject: AttestationSubject): Promise<string> => {
    if (subject.type === 'host') return HOST_MEASUREMENT;
    const module = await artifacts.read(subject.codeHash);
    if (!module) throw new Error(`artefact ${subject.codeHash} is gone`);
    return measurementOf(moduleSha384(module), subject.config);
  };

  const judge = async (
    subject: AttestationSubject,
    nonce: string,
    { report, certificates }: AttestationEvidence,
    allowSimulated: boolean,
  ): Promise<Result<AttestationReport>> => {
    const [vcek, ...chain] = certificates.map(fromBase64Url);
    if (!vcek) return reject('ATTESTATION_FAILED', 'the evidence has no certificate');
    const measurement = await measurementFor(subject);
    const evidence = fromBase64Url(report);
    const at = now();
    const verdict = await verifyAttestation({
      format: 'sev-snp',
      evidence,
      collateral: { vcek, chain },
      now: at,
      policy: { roots, allowSimulated },
      expected: { measurement, nonce, key: subject.type === 'host' ? subject.publicKey : subject.enclaveKey },
    });
    if (!verdict.acceptable) {
      const failed = verdict.reasons.filter((step) => !step.ok);
      return reject(
        'ATTESTATION_FAILED',
        'the attestation does not verify',
        failed.map(({ step, code }) => ({ field: step, rule: code })),
      );
    }
    return ok({
      reportHash: createHash('sha256').update(evidence).digest('hex'),
      measurement,
      label: verdict.platform,
      steps: verdict.reasons,
      report,
      certificates,
      expiresAt: addSeconds(at, ATTESTATION_SECONDS),
    });
  };

  return {
    attest: async (subject, nonce, { allowSimulated }) => {
      const reply = await ask(subject, nonce);
      switch (reply.type) {
        case 'attestation':
          return judge(subject, nonce, reply.evidence, allowSimulated);
        case 'refused':
          return reject(reply.code, reply.message, reply.errors);
        case 'unreachable':
          return reject('TEE_UNAVAILABLE', `the node is out of reach: ${reply.message}`);
      }
    },
  };
};
