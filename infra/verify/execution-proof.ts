import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { EnclaveConfig, PlatformLabel, VerificationStep } from '../../domain/enclave/events.ts';
import { measurementOf, moduleSha384 } from '../../domain/enclave/measurement.ts';
import { canonicalJson } from '../../domain/json.ts';
import { METERING_VERSION } from '../../domain/metering/costs.ts';
import { instrument } from '../../domain/metering/instrument.ts';
import { proofIdOf, signedBytesOf } from '../../domain/proof/proof-id.ts';
import type { ExecutionProof, ExecutionRecord, MeteredRecord } from '../../domain/proof/record.ts';
import { CLOCK_SKEW_MS, type Now, nowMs } from './clock.ts';
import { bytesOrNothing, verifyEvidence } from './evidence.ts';
import type { AttestationPolicy } from './policy.ts';
import { isExecutionProof } from './record-shape.ts';
import type { TrustedRoot } from './roots.ts';
import { signedBy } from './signed.ts';
import { notChecked, notExpected, stepOf, type Verdict } from './steps.ts';

export interface ProofPolicy extends Omit<AttestationPolicy, 'roots'> {
  /** Oldest `finishedAt` that is accepted, in seconds before `now`; any when absent. */
  readonly maximumAgeSeconds?: number;
}

/** What the proof must be about. Absent fields are not demanded. */
export interface ProofExpectation
  extends Partial<
    Pick<ExecutionRecord, 'jobId' | 'enclaveId' | 'providerId' | 'moduleHash' | 'args' | 'inputHash'>
  > {
  readonly proofId?: string;
  readonly enclaveKey?: string;
  readonly nonce?: string;
  readonly config?: EnclaveConfig;
  /** Fuel that the order allowed; demands a record of version 2. */
  readonly fuelLimit?: number;
  /** What has to have run in place of the module, where that is known already. */
  readonly metering?: MeteredRecord['metering'];
  /**
   * The module as it was submitted: ties its SHA-256 in the record to the SHA-384 in the measurement without trusting the
   * enclave, and is instrumented anew to see that what ran was made of it, unless `metering` says so.
   */
  readonly module?: Uint8Array;
}

export interface ProofVerdict {
  readonly valid: boolean;
  /** As in an attestation: decided by the root; `simulated` when none vouches. */
  readonly platform: PlatformLabel;
  /** Steps of the attestation carry the prefix `attestation.`. */
  readonly reasons: readonly VerificationStep[];
}

export interface ProofContext {
  readonly roots?: readonly TrustedRoot[];
  readonly now: Now;
  readonly policy?: ProofPolicy;
  readonly expected?: ProofExpectation;
}

const signatureHolds = ({ enclaveKey, record, signature }: ExecutionProof): boolean =>
  signedBy(enclaveKey, signedBytesOf(record), signature);

const reportIs = ({ record, attestation }: ExecutionProof): boolean =>
  record.reportHash === bytesToHex(sha256(bytesOrNothing(attestation.report)));

/**
 * A kind of trap belongs to a trap. No more fuel is used than allowed, exactly that where it was the limit, and only of a
 * run out of time it is not known, and known what was done beside it.
 */
const meteringAgrees = ({ outcome, trap, fuel: { used, limit }, resources }: MeteredRecord): boolean =>
  (outcome === 'trapped') === (trap !== null) &&
  (outcome === 'time_limit') === (used === null) &&
  (outcome === 'time_limit') === (resources.probedFuelPerSecond !== undefined) &&
  (used === null || used <= limit) &&
  (outcome !== 'fuel_limit' || used === limit);

const outcomeVerdict = (record: ExecutionRecord): Verdict => {
  const exits = (record.outcome === 'exited') === (record.exitCode !== null);
  return exits && (record.version === 1 || meteringAgrees(record)) ? null : 'OUTCOME_INCONSISTENT';
};

const timeVerdict = (
  record: ExecutionRecord,
  now: number,
  maximumAgeSeconds: number | undefined,
): Verdict => {
  const [started, finished] = [Date.parse(record.startedAt), Date.parse(record.finishedAt)];
  if (finished < started) return 'TIMES_INCONSISTENT';
  if (finished > now + CLOCK_SKEW_MS) return 'FROM_THE_FUTURE';
  return maximumAgeSeconds !== undefined && finished < now - maximumAgeSeconds * 1000 ? 'TOO_OLD' : null;
};

type Facts = Omit<ProofExpectation, 'module'>;

const factsOf = ({
  proofId,
  enclaveKey,
  record,
  attestation,
}: ExecutionProof): Record<keyof Facts, unknown> => ({
  proofId,
  jobId: record.jobId,
  enclaveId: record.enclaveId,
  providerId: record.providerId,
  moduleHash: record.moduleHash,
  args: record.args,
  inputHash: record.inputHash,
  enclaveKey,
  nonce: attestation.nonce,
  config: attestation.config,
  fuelLimit: record.version === 2 ? record.fuel.limit : null,
  metering: record.version === 2 ? record.metering : null,
});

const expectedSteps = (proof: ExecutionProof, expected: ProofExpectation): VerificationStep[] =>
  Object.entries(factsOf(proof)).flatMap(([name, fact]) => {
    const demanded = expected[name as keyof Facts];
    if (demanded === undefined) return [];
    return stepOf(
      `expected.${name}`,
      canonicalJson(demanded) === canonicalJson(fact) ? null : 'EXPECTATION_MISMATCH',
    );
  });

const moduleStep = (
  { record, attestation }: ExecutionProof,
  module: Uint8Array | undefined,
): VerificationStep => {
  if (module === undefined) return notExpected('module');
  const holds =
    record.moduleHash === bytesToHex(sha256(module)) && attestation.moduleSha384 === moduleSha384(module);
  return stepOf('module', holds ? null : 'MODULE_MISMATCH');
};

/** Whether what ran was made of the module by a version of metering that is known here. */
const meteringStep = (
  { record }: ExecutionProof,
  { module, metering }: Pick<ProofExpectation, 'module' | 'metering'>,
): VerificationStep => {
  if (record.version === 1 || module === undefined || metering !== undefined) return notExpected('metering');
  if (record.metering.version !== METERING_VERSION) return stepOf('metering', 'METERING_UNKNOWN');
  const made = instrument(module);
  const holds = made.ok && record.metering.moduleHash === bytesToHex(sha256(made.value.bytes));
  return stepOf('metering', holds ? null : 'METERING_MISMATCH');
};

/**
 * Verifies an execution proof by value: its id is the hash of its record, the record is signed by the enclave key, a
 * report under a trusted root binds that key to the measured module and configuration. `proof` may be any JSON; what is
 * not a proof is invalid with code `MALFORMED`. Throws only on a `now` that is not an instant.
 */
export const verifyExecutionProof = async (proof: unknown, context: ProofContext): Promise<ProofVerdict> => {
  const now = nowMs(context.now);
  if (!isExecutionProof(proof)) return malformed();
  const { record, attestation, enclaveKey } = proof;
  const { maximumAgeSeconds, ...policy } = context.policy ?? {};
  const evidence = await verifyEvidence(attestation, {
    now: context.now,
    policy: { ...policy, ...(context.roots && { roots: context.roots }) },
    expected: {
      measurement: measurementOf(attestation.moduleSha384, attestation.config),
      nonce: attestation.nonce,
      key: enclaveKey,
    },
  });
  const reasons = [
    stepOf('format', null),
    stepOf('id', proof.proofId === proofIdOf(record) ? null : 'ID_MISMATCH'),
    stepOf('signature', signatureHolds(proof) ? null : 'BAD_SIGNATURE'),
    stepOf('report', reportIs(proof) ? null : 'REPORT_MISMATCH'),
    stepOf('outcome', outcomeVerdict(record)),
    stepOf('time', timeVerdict(record, now, maximumAgeSeconds)),
    moduleStep(proof, context.expected?.module),
    meteringStep(proof, context.expected ?? {}),
    ...expectedSteps(proof, context.expected ?? {}),
    ...evidence.reasons.map((reason) => ({ ...reason, step: `attestation.${reason.step}` })),
  ];
  return { valid: reasons.every((step) => step.ok), platform: evidence.platform, reasons };
};

const malformed = (): ProofVerdict => ({
  valid: false,
  platform: 'simulated',
  reasons: [
    stepOf('format', 'MALFORMED'),
    ...['id', 'signature', 'report', 'outcome', 'time', 'module', 'metering', 'attestation'].map(notChecked),
  ],
});
