import { ok, type Result, reject } from '../../domain/errors.ts';
import type { NodeGateway } from '../../domain/ports/node-gateway.ts';
import type { AttestationJudge, AttestationReport, AttestationSubject } from './attestation-judge.ts';

export type { AttestationReport, AttestationSubject } from './attestation-judge.ts';

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
  readonly judge: AttestationJudge;
}

const TIMEOUT_MS = 15_000;

/** Attestation on request: one question to the node, one judgement. */
export const createAttestor = ({ gateway, judge }: AttestorDeps): Attestor => ({
  attest: async (subject, nonce, options) => {
    const reply = await gateway.request(
      subject.providerId,
      subject.type === 'host'
        ? { type: 'attest-host', platform: subject.platform, nonce }
        : { type: 'attest-enclave', enclaveId: subject.enclaveId, nonce },
      { timeoutMs: TIMEOUT_MS },
    );
    switch (reply.type) {
      case 'attestation': {
        const judgement = await judge.judge(subject, nonce, reply.evidence, options);
        if (judgement.ok) return ok(judgement.report);
        const failed = judgement.steps.filter((step) => !step.ok);
        return reject(
          'ATTESTATION_FAILED',
          `the attestation does not verify: ${judgement.message}`,
          failed.map(({ step, code }) => ({ field: step, rule: code })),
        );
      }
      case 'refused':
        return reject(reply.code, reply.message, reply.errors);
      case 'unreachable':
        return reject('TEE_UNAVAILABLE', `the node is out of reach: ${reply.message}`);
    }
  },
});
