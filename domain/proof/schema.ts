import { z } from 'zod';
import type { ExecutionProof, ExecutionRecord } from './record.ts';

const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `${bytes} bytes in lower-case hex`);
const base64url = (maxChars: number) => z.base64url().max(maxChars);
const count = z.number().int().nonnegative();

/** An execution record in transit. Its meaning is checked by `infra/verify`, its shape here. */
const executionRecordSchema = z.object({
  proofType: z.literal('proof_of_execution'),
  version: z.literal(1),
  jobId: z.string().max(64).nullable(),
  enclaveId: z.string().max(64),
  providerId: z.string().max(64),
  moduleHash: hex(32),
  args: z.array(z.string()).max(1024),
  inputHash: hex(32),
  outcome: z.enum(['exited', 'time_limit', 'memory_limit', 'trapped']),
  exitCode: z.number().int().nullable(),
  outputHash: hex(32),
  outputBytes: count,
  stderrTail: z.string().max(2048),
  resources: z.object({
    cpuMs: z.number().nonnegative(),
    wallMs: z.number().nonnegative(),
    peakMemoryBytes: count,
  }),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  reportHash: hex(32),
}) satisfies z.ZodType<ExecutionRecord>;

export const executionProofSchema = z.object({
  proofId: z.string().regex(/^proof-[0-9A-HJKMNP-TV-Z]{26}$/, 'proof- and a ULID'),
  record: executionRecordSchema,
  enclaveKey: hex(32),
  signature: base64url(88),
  attestation: z.object({
    report: base64url(16_384),
    nonce: hex(32),
    moduleSha384: hex(48),
    config: z.object({ memoryMb: count, cpuCores: z.number().positive(), allowDebug: z.literal(false) }),
    certificates: z.array(base64url(16_384)).max(8),
  }),
}) satisfies z.ZodType<ExecutionProof>;
