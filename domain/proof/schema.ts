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
import type { ExecutionProof, ExecutionRecord } from './record.ts';

const base64url = (maxChars: number) => z.base64url().max(maxChars);

export const runOutcome = z.enum(['exited', 'time_limit', 'memory_limit', 'trapped']);
export const proofIdSchema = observedProofId;

/** An execution record in transit. Its meaning is checked by `infra/verify`, its shape here. */
const executionRecordSchema = z.object({
  proofType: z.literal('proof_of_execution'),
  version: z.literal(1),
  jobId: nameOf(64).nullable(),
  enclaveId: nameOf(64),
  providerId: nameOf(64),
  moduleHash: hex(32),
  args: z.array(textOf(WORK_LIMITS.arguments.bytes)).max(WORK_LIMITS.arguments.count),
  inputHash: hex(32),
  outcome: runOutcome,
  exitCode: z.int().nullable(),
  outputHash: hex(32),
  outputBytes: count,
  stderrTail: textOf(2048),
  resources: z.object({
    cpuMs: measure,
    wallMs: measure,
    peakMemoryBytes: count,
  }),
  startedAt: instant,
  finishedAt: instant,
  reportHash: hex(32),
}) satisfies z.ZodType<ExecutionRecord>;

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

/** What is stored is what was verified: nothing beside the known members. */
export const storedRecord = z.strictObject({
  ...executionRecordSchema.shape,
  args: listOf(text),
  resources: executionRecordSchema.shape.resources.strict(),
});

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
