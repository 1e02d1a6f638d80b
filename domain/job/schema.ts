import { z } from 'zod';
import { openedBid, winner } from '../auction/schema.ts';
import { enclaveFault, faultCause } from '../enclave/schema.ts';
import { proofIdSchema, runOutcome, trap } from '../proof/schema.ts';
import { violation } from '../quorum/schema.ts';
import {
  count,
  errorCode,
  eventIdSchema,
  hex,
  id,
  instant,
  listOf,
  micro,
  name,
  platformLabel,
  schemaOf,
  seconds,
  share,
  text,
  tierName,
  tops,
  version,
} from '../schema.ts';
import { DECLINE_REASONS, type JobEvent } from './events.ts';

const epoch = z.int().positive();
const payout = z.strictObject({ providerId: id, owner: name, bidId: id, amount: micro });
const outcome = { outcome: runOutcome, exitCode: z.int().nullable(), outputHash: hex(32) };

const slaVerdict = {
  verdict: z.enum(['met', 'missed']),
  samples: count,
  missedShare: share,
  creditPercent: z.int().min(0).max(100),
};

const forfeits = {
  fraud: listOf(z.strictObject({ providerId: id, owner: name, bidId: id, amount: micro })).exactOptional(),
  compensation: z
    .strictObject({
      submitter: micro,
      members: listOf(z.strictObject({ providerId: id, owner: name, amount: micro })),
    })
    .exactOptional(),
};

/** The stored events of a job. */
export const jobEventSchema = schemaOf<JobEvent>()(
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('job.submitted'),
      machineVersion: version,
      jobId: id,
      submitter: name,
      quoteId: name,
      auctionId: id,
      auctionGiven: z.boolean(),
      tier: tierName,
      tierTableVersion: version,
      requiredTops: tops,
      utilization: share,
      durationSeconds: seconds,
      tRef: tops.exactOptional(),
      pricedMemoryMb: z.int().positive().exactOptional(),
      ceiling: micro,
      openingFee: micro.exactOptional(),
      winners: z.int().positive(),
      codeHash: hex(32),
      args: listOf(text),
      inputHash: hex(32),
      memoryMb: z.int().positive(),
      auctionSeconds: z.int().positive(),
      maxWaitSeconds: z.int().positive().exactOptional(),
      allowSimulated: z.boolean(),
      seed: hex(32),
      submittedAt: instant,
    }),
    z.strictObject({ type: z.literal('job.admitted'), attempt: epoch, admittedAt: instant }),
    z.strictObject({
      type: z.literal('job.requeued'),
      attempt: epoch,
      auctionId: id,
      reason: errorCode,
      message: text,
      requeuedAt: instant,
    }),
    z.strictObject({ type: z.literal('job.auction-opened'), auctionId: id, closesAt: instant }),
    z.strictObject({
      type: z.literal('job.auction-awarded'),
      auctionId: id,
      winners: listOf(winner),
      reserve: listOf(openedBid),
      seed: hex(32),
    }),
    z.strictObject({
      type: z.literal('job.quorum-formed'),
      quorumId: id,
      epoch,
      members: listOf(winner),
      predictedAvailability: share,
      formedAt: instant,
    }),
    z.strictObject({
      type: z.literal('job.quorum-degraded'),
      epoch,
      members: listOf(winner),
      violations: listOf(violation),
    }),
    z.strictObject({
      type: z.literal('job.enclave-attested'),
      providerId: id,
      enclaveId: id,
      label: platformLabel,
      attestedAt: instant,
    }),
    z.strictObject({ type: z.literal('job.run-started'), startedAt: instant }),
    z.strictObject({
      type: z.literal('job.member-failed'),
      providerId: id,
      owner: name,
      bidId: id,
      enclaveId: id,
      fault: enclaveFault,
      cause: faultCause.exactOptional(),
      slashed: z.boolean(),
      forfeit: micro.exactOptional(),
      evidenceId: eventIdSchema,
      message: text,
    }),
    z.strictObject({
      type: z.literal('job.standby-accepted'),
      providerId: id,
      owner: name,
      bidId: id,
      acceptedAt: instant,
    }),
    z.strictObject({
      type: z.literal('job.standby-declined'),
      providerId: id,
      owner: name,
      bidId: id,
      reason: z.enum(DECLINE_REASONS),
      message: text,
    }),
    z.strictObject({
      type: z.literal('job.result-received'),
      providerId: id,
      enclaveId: id,
      proofId: proofIdSchema,
      ...outcome,
      trap: trap.nullable().exactOptional(),
      fuelUsed: count.exactOptional(),
      missedHeartbeats: count,
      missedInAll: count.exactOptional(),
      startedAt: instant.exactOptional(),
      finishedAt: instant,
    }),
    z.strictObject({ type: z.literal('job.results-disagreed'), results: count }),
    z.strictObject({
      type: z.literal('job.proven'),
      proofId: proofIdSchema,
      ...outcome,
      accepted: listOf(id),
      deviants: listOf(id),
      sla: z.strictObject(slaVerdict),
      memberSla: listOf(z.strictObject({ providerId: id, ...slaVerdict })).exactOptional(),
      provenAt: instant,
    }),
    z.strictObject({ type: z.literal('job.aborted'), reason: errorCode, message: text }),
    z.strictObject({
      type: z.literal('job.settled'),
      payouts: listOf(payout),
      ...forfeits,
      slaCredit: micro,
      price: micro,
      refund: micro,
      settledAt: instant,
    }),
    z.strictObject({
      type: z.literal('job.failed'),
      reason: errorCode,
      message: text,
      payouts: listOf(payout),
      ...forfeits,
      price: micro,
      failedAt: instant,
    }),
  ]),
);
