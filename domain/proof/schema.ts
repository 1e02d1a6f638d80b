import { z } from 'zod';
import { WORK_LIMITS } from '../enclave/limits.ts';
import {
  count,
  hex,
  instant,
  listOf,
  measure,
  nameOf,
  platformLabel,
  schemaOf,
  text,
  textOf,
  verificationStep,
  version,
} from '../schema.ts';
import type { ProofEvent } from './events.ts';
import { availabilityRecordSchema, observedProofId, slaRecordSchema } from './observed/schema.ts';
import {
  type ExecutionProof,
  type ExecutionRecord,
  RUN_OUTCOMES,
  TRAPS,
  UNMETERED_OUTCOMES,
} from './record.ts';

const base64url = (maxChars: number) => z.base64url().max(maxChars);

/** Of records of any version. */
export const runOutcome = z.enum([...UNMETERED_OUTCOMES, ...RUN_OUTCOMES]);
export const trap = z.enum(TRAPS);
export const proofIdSchema = observedProofId;

const recordFacts = {
  proofType: z.literal('proof_of_execution'),
  jobId: nameOf(64).nullable(),
  enclaveId: nameOf(64),
  providerId: nameOf(64),
  moduleHash: hex(32),
  args: z.array(textOf(WORK_LIMITS.arguments.bytes)).max(WORK_LIMITS.arguments.count),
  inputHash: hex(32),
  exitCode: z.int().nullable(),
  outputHash: hex(32),
  outputBytes: count,
  stderrTail: textOf(2048),
  resources: z.object({
    cpuMs: measure,
    wallMs: measure,
    peakMemoryBytes: count,
    probedFuelPerSecond: measure.exactOptional(),
  }),
  startedAt: instant,
  finishedAt: instant,
  reportHash: hex(32),
};
const unmetered = { ...recordFacts, version: z.literal(1), outcome: z.enum(UNMETERED_OUTCOMES) };
const metered = {
  ...recordFacts,
  version: z.literal(2),
  outcome: z.enum(RUN_OUTCOMES),
  trap: trap.nullable(),
  fuel: z.object({ used: count.nullable(), limit: count }),
  metering: z.object({ version: count, moduleHash: hex(32) }),
};

/** An execution record in transit. Its meaning is checked by `infra/verify`, its shape here. */
const executionRecordSchema = z.discriminatedUnion('version', [
  z.object(unmetered),
  z.object(metered),
]) satisfies z.ZodType<ExecutionRecord>;

export const executionProofSchema = z.object({
  proofId: proofIdSchema,
  record: executionRecordSchema,
  enclaveKey: hex(32),
  signature: base64url(88),
  attestation: z.object({
    report: base64url(16_384),
    nonce: hex(32),
    moduleSha384: hex(48),
    config: z.object({
      memoryMb: count,
      cpuCores: z.number().positive().max(1024),
      allowDebug: z.literal(false),
    }),
    certificates: z.array(base64url(16_384)).max(8),
    binding: z.literal('host').exactOptional(),
  }),
}) satisfies z.ZodType<ExecutionProof>;

const stored = { args: listOf(text), resources: recordFacts.resources.strict() };

/** What is stored is what was verified: nothing beside the known members. */
export const storedRecord = z.discriminatedUnion('version', [
  z.strictObject({ ...unmetered, ...stored }),
  z.strictObject({
    ...metered,
    ...stored,
    fuel: metered.fuel.strict(),
    metering: metered.metering.strict(),
  }),
]);

const { attestation } = executionProofSchema.shape;

const executionRecorded = z.strictObject({
  type: z.literal('proof.recorded'),
  machineVersion: version,
  proof: z.strictObject({
    ...executionProofSchema.shape,
    record: storedRecord,
    attestation: z.strictObject({
      ...attestation.shape,
      config: attestation.shape.config.strict(),
      certificates: attestation.shape.certificates.readonly(),
    }),
  }),
  label: platformLabel,
  valid: z.boolean(),
  steps: listOf(verificationStep),
  recordedAt: instant,
});

/** What the records of all proofs that rest on observers hold beside the proof's own record. */
const observed = {
  machineVersion: version,
  proofId: observedProofId,
  evidence: hex(32),
  steps: listOf(verificationStep),
  recordedAt: instant,
};

/** The stored events of proofs. */
export const proofEventSchema = schemaOf<ProofEvent>()(
  z.discriminatedUnion('type', [
    executionRecorded,
    z.strictObject({
      type: z.literal('proof.availability-recorded'),
      ...observed,
      record: availabilityRecordSchema,
    }),
    z.strictObject({
      type: z.literal('proof.sla-compliance-recorded'),
      ...observed,
      record: slaRecordSchema,
    }),
  ]),
);
