import { z } from 'zod';
import { count, hex, instant, listOf, measure, nameOf, share } from '../../schema.ts';
import type { AvailabilityProof, AvailabilityRecord } from '../availability-record.ts';
import { SAMPLE_STATES, type SlaProof, type SlaRecord } from '../sla-record.ts';

/** Proofs that rest on observers, in transit and stored. Their meaning is checked by `infra/verify`, their shape here. */

const text = nameOf(256);
const base64url = z.base64url().max(65_536);
export const observedProofId = z.string().regex(/^proof-[0-9A-HJKMNP-TV-Z]{26}$/, 'proof- and a ULID');

const observers = listOf(z.strictObject({ id: text, key: hex(32) }));

export const slaRecordSchema = z.strictObject({
  proofType: z.literal('proof_of_sla_compliance'),
  version: z.literal(1),
  terms: z.strictObject({
    providerId: text,
    providerKey: hex(32),
    jobId: text.nullable(),
    availability: share,
    periodSeconds: count,
    from: instant,
    slots: count,
    observers,
    quorum: count,
    creditOn: z.enum(['over-budget', 'breach-proven']),
  }),
  merkleRoot: hex(32),
  judgement: z.strictObject({
    verdict: z.enum(['met', 'credit-due-breach-unproven', 'breach-proven', 'not-yet-provable']),
    creditPercent: count,
    samples: count,
    missed: count,
    maintenance: count,
    unobserved: count,
    samplesNeeded: count,
    budgetSeconds: measure,
    missedSeconds: measure,
    burnRates: listOf(z.strictObject({ seconds: count, rate: measure })),
    alert: z.enum(['page', 'ticket']).nullable(),
  }),
}) satisfies z.ZodType<SlaRecord>;

export const slaProofSchema = z.strictObject({
  proofId: observedProofId,
  record: slaRecordSchema,
  reports: listOf(
    z.strictObject({
      observer: hex(32),
      firstSlot: count,
      runs: listOf(z.strictObject({ state: z.enum(SAMPLE_STATES), count: z.int().positive() })),
      signature: base64url,
    }),
  ),
}) satisfies z.ZodType<SlaProof>;

export const availabilityRecordSchema = z.strictObject({
  proofType: z.literal('proof_of_availability'),
  version: z.literal(1),
  terms: z.strictObject({
    providerId: text,
    providerKey: hex(32),
    jobId: text.nullable(),
    artifact: hex(32),
    size: count,
    chunkBytes: count,
    chunkRoot: hex(32),
    chunksPerRound: count,
    rounds: count,
    from: instant,
    everySeconds: count,
    deadlineSeconds: count,
    minimumShare: share,
    observers,
    quorum: count,
  }),
  merkleRoot: hex(32),
  judgement: z.strictObject({
    verdict: z.enum(['available', 'unavailable', 'not-yet-provable']),
    passed: count,
    failed: count,
    unobserved: count,
  }),
}) satisfies z.ZodType<AvailabilityRecord>;

export const answerSchema = z.strictObject({
  openings: listOf(z.strictObject({ index: count, chunk: base64url, path: listOf(hex(32)) })),
  signature: base64url,
});

export const receiptSchema = z.strictObject({
  observer: hex(32),
  outcome: z.enum(['answered', 'silent', 'unobserved']),
  askedAt: instant.nullable(),
  answeredAt: instant.nullable(),
  signature: base64url,
});

export const beaconSchema = z.strictObject({ size: z.string().regex(/^[1-9]\d{0,18}$/), root: hex(32) });

export const availabilityProofSchema = z.strictObject({
  proofId: observedProofId,
  record: availabilityRecordSchema,
  rounds: listOf(
    z.strictObject({
      beacon: beaconSchema,
      answer: answerSchema.nullable(),
      receipts: listOf(receiptSchema),
    }),
  ),
}) satisfies z.ZodType<AvailabilityProof>;
