import { createHash } from 'node:crypto';
import type { EnclaveConfig } from '../../domain/enclave/events.ts';
import { measurementOf, moduleSha384, reportData } from '../../domain/enclave/measurement.ts';
import { type FieldError, ok, type Result, reject } from '../../domain/errors.ts';
import { canonicalJson } from '../../domain/json.ts';
import type { AttestationEvidence } from '../../domain/mesh/messages.ts';
import { proofIdOf } from '../../domain/proof/proof-id.ts';
import type { ExecutionProof } from '../../domain/proof/record.ts';
import { evidenceOf, type TeePlatform } from '../tee/platform.ts';
import { fromBase64Url, toBase64Url } from '../verify/bytes.ts';
import type { EnclaveLink } from './enclave-link.ts';
import type { RunOrder } from './protocol.ts';
import type { Isolation } from './spawn.ts';
import { workErrors } from './work-rules.ts';

export interface FinishedRun {
  readonly proof: ExecutionProof;
  readonly output: Uint8Array;
}

/** A live enclave. Every call may come twice and is answered like the first. */
export interface Enclave {
  readonly enclaveId: string;
  /** Hex Ed25519 public key. */
  readonly enclaveKey: string;
  /** Hex. */
  readonly measurement: string;
  /** `none`: in an empty network namespace; `host`: the machine did not allow one. */
  readonly network: Isolation['network'];
  /** A report that binds `nonce` (hex of 32 bytes) and the enclave key. */
  attest(nonce: string): Promise<Result<AttestationEvidence>>;
  /**
   * Runs the module once it is attested. The same order again joins or repeats the first run's answer; another one
   * while a run is under way is a CONFLICT. What the module does is an outcome in the proof, not a refusal.
   */
  run(order: RunOrder, input: Uint8Array): Promise<Result<FinishedRun>>;
  /** Ends it with all it started; resolves when nothing of it is left. */
  destroy(): Promise<void>;
}

export interface EnclaveParts {
  readonly enclaveId: string;
  readonly enclaveKey: string;
  readonly code: Uint8Array;
  readonly config: EnclaveConfig;
  readonly platform: TeePlatform;
  readonly link: EnclaveLink;
  readonly network: Isolation['network'];
}

interface Attested {
  readonly nonce: string;
  readonly evidence: AttestationEvidence;
}

/** Time over a run's own limit for its processes to start and its output to come back. */
const RUN_SLACK_MS = 60_000;

const invalid = (errors: readonly FieldError[]) =>
  reject('INVALID_REQUEST', 'the enclave cannot do this', errors);

export const createEnclave = (parts: EnclaveParts): Enclave => {
  const { enclaveId, enclaveKey, code, config, platform, link } = parts;
  const digest = moduleSha384(code);
  const measurement = measurementOf(digest, config);
  let attested: Promise<Attested> | null = null;
  let attestedNonce: string | null = null;
  let current: { readonly key: string; readonly result: Promise<Result<FinishedRun>>; done: boolean } | null =
    null;

  const quote = async (nonce: string): Promise<Attested> => {
    const signed = await platform.quote({ measurement, reportData: reportData(nonce, enclaveKey) });
    return { nonce, evidence: evidenceOf(platform, signed) };
  };

  const proofOf = (
    { nonce, evidence }: Attested,
    record: ExecutionProof['record'],
    signature: Uint8Array,
  ): ExecutionProof => ({
    proofId: proofIdOf(record),
    record,
    enclaveKey,
    signature: toBase64Url(signature),
    attestation: {
      report: evidence.report,
      nonce,
      moduleSha384: digest,
      config,
      certificates: evidence.certificates,
      ...(evidence.binding && { binding: evidence.binding }),
    },
  });

  const execute = async (
    order: RunOrder,
    input: Uint8Array,
    under: Attested,
  ): Promise<Result<FinishedRun>> => {
    const reportHash = createHash('sha256').update(fromBase64Url(under.evidence.report)).digest('hex');
    const limitMs = order.work.timeLimitSeconds * 1000 + RUN_SLACK_MS;
    const answer = await link.ask({ type: 'run', order, input, reportHash }, limitMs);
    if (answer?.type === 'finished')
      return ok({ proof: proofOf(under, answer.record, answer.signature), output: answer.output });
    // An enclave that does not answer is of no use any more.
    if (answer === null) link.kill();
    return reject(
      'RESOURCE_UNAVAILABLE',
      answer?.type === 'failed' ? answer.message : 'the enclave process ended before its run did',
    );
  };

  return {
    enclaveId,
    enclaveKey,
    measurement,
    network: parts.network,
    attest: async (nonce) => {
      if (!/^[0-9a-f]{64}$/.test(nonce)) return invalid([{ field: 'nonce', rule: 'hex of 32 bytes' }]);
      if (!link.alive()) return reject('RESOURCE_UNAVAILABLE', 'the enclave process has ended');
      if (attested === null || attestedNonce !== nonce) {
        attestedNonce = nonce;
        attested = quote(nonce);
      }
      return ok((await attested).evidence);
    },
    run: async (order, input) => {
      const key = canonicalJson(order);
      if (current?.key === key) return current.result;
      if (current && !current.done) return reject('CONFLICT', 'the enclave is running another order');
      const errors = workErrors(order.work, input);
      if (errors.length > 0) return invalid(errors);
      if (attested === null) return reject('CONFLICT', 'the enclave is not attested');
      const started = { key, result: attested.then((under) => execute(order, input, under)), done: false };
      current = started;
      const result = await started.result;
      started.done = true;
      return result;
    },
    destroy: link.close,
  };
};
