import { z } from 'zod';
import { densityAdvice } from '../../../domain/mesh/fuel-rate.ts';
import { progressOf } from '../../../projections/jobs/queries.ts';
import type { JobRow, JobState } from '../../../projections/jobs/table.ts';
import { instant, micro, position } from '../../fields.ts';

export const JOB_STATES = [
  'queued',
  'quoted',
  'auctioning',
  'forming',
  'launching',
  'running',
  'proving',
  'settling',
  'settled',
  'failed',
] as const satisfies readonly JobState[];

export const isTerminal = (state: JobState): boolean => state === 'settled' || state === 'failed';

const slaSchema = z.object({
  verdict: z.enum(['met', 'missed']),
  samples: z.int(),
  missed_share: z.number(),
  credit_percent: z.number(),
});

const memberSchema = z.object({
  node_id: z.string(),
  owner: z.string(),
  infrastructure_type: z.string(),
  asn: z.int(),
  region: z.string(),
  enclave_id: z.string().nullable(),
  label: z.enum(['hardware', 'simulated']).nullable(),
  attested: z.boolean(),
  proof_id: z.string().nullable(),
  output_sha256: z.string().nullable(),
  fuel_used: z.number().int().nullable().describe('work as counted by metering; equal on every node'),
  accepted: z.boolean().nullable(),
  payment_micro: micro.describe('what it was promised for all of the declared work'),
  paid_micro: micro.nullable().describe('what it was paid: the share that its run used, at least 5 %'),
  sla: slaSchema.optional().describe('its own verdict, by which it is paid'),
});

export const jobSchema = z
  .object({
    job_id: z.string(),
    state: z.enum(JOB_STATES),
    progress: z.number(),
    tier: z.string(),
    quote_id: z.string(),
    auction_id: z.string(),
    quorum_id: z.string().nullable(),
    epoch: z.int(),
    degraded: z.boolean(),
    predicted_availability: z.number().nullable(),
    code_hash: z.string(),
    input_sha256: z.string(),
    args: z.array(z.string()),
    members: z.array(memberSchema),
    failed_members: z.array(
      z.object({
        node_id: z.string(),
        owner: z.string(),
        fault: z.string(),
        cause: z.string().nullable().describe('who brought it about'),
        slashed: z.boolean(),
        forfeit_micro: micro.nullable().describe('what it lost of its deposit'),
        evidence_id: z.string(),
        message: z.string(),
      }),
    ),
    proof_id: z.string().nullable(),
    proofs: z.array(z.string()),
    outcome: z.string().nullable(),
    exit_code: z.int().nullable(),
    output_sha256: z.string().nullable(),
    ceiling_micro: micro,
    price_micro: micro.nullable(),
    cost_accrued: micro,
    sla: slaSchema.optional(),
    settlement: z.object({ price: micro, refund: micro, sla_credit: micro }).optional(),
    reason: z.string().nullable(),
    message: z.string().nullable(),
    submitted_at: instant,
    queue_position: z
      .int()
      .nullable()
      .describe('of a job that is queued for want of room, 1 being the next; null of others'),
    waits_until: instant.nullable().describe('end of its max_wait_seconds; null where it does not wait'),
    attempt: z.int().describe('counts its auctions'),
    closes_at: instant.nullable(),
    bids: z.int().nullable().describe('placed in its auction so far; null before that is known'),
    started_at: instant.nullable(),
    ended_at: instant.nullable(),
    timeline: z.array(
      z.object({
        at: instant,
        event: z.string(),
        workflow_id: z.string().nullable(),
        run_id: z.string().nullable(),
        position,
        provider_id: z.string().nullable(),
      }),
    ),
    position,
  })
  .meta({ id: 'Job' });

const slaOf = ({ sla }: Pick<JobRow, 'sla'>) =>
  sla
    ? {
        sla: {
          verdict: sla.verdict,
          samples: sla.samples,
          missed_share: sla.missedShare,
          credit_percent: sla.creditPercent,
        },
      }
    : {};

/** A member as the job shows it. */
export const shownMember = (member: JobRow['members'][number]): z.input<typeof memberSchema> => ({
  node_id: member.providerId,
  owner: member.owner,
  infrastructure_type: member.infrastructureType,
  asn: member.asn,
  region: member.region,
  enclave_id: member.enclaveId,
  label: member.label,
  attested: member.attested,
  proof_id: member.proofId,
  output_sha256: member.outputHash,
  fuel_used: member.fuelUsed,
  accepted: member.accepted,
  payment_micro: member.payment,
  paid_micro: member.paid,
  ...slaOf(member),
});

const settlementOf = ({ state, price, refund, slaCredit }: JobRow) =>
  isTerminal(state) && price !== null
    ? { settlement: { price, refund: refund ?? '0', sla_credit: slaCredit ?? '0' } }
    : {};

/** Why it failed, and what helps where nodes could not finish what it declares. */
export const messageOf = (
  job: Pick<JobRow, 'reason' | 'message' | 'requiredTops' | 'utilization' | 'durationSeconds'>,
): string | null => {
  const advice = job.reason === 'AUCTION_NOT_ENOUGH_BIDS' ? densityAdvice(job) : null;
  return advice === null ? job.message : `${job.message ?? 'too few bids'}; ${advice}`;
};

/** A job as its submitter, its providers and auditors see it. `bids` is their number in its auction. */
export const shownJob = (
  job: JobRow,
  { bids, queuePosition }: { readonly bids: number | null; readonly queuePosition: number | null },
): z.input<typeof jobSchema> => ({
  job_id: job.jobId,
  state: job.state,
  progress: progressOf(job),
  tier: job.tier,
  quote_id: job.quoteId,
  auction_id: job.auctionId,
  quorum_id: job.quorumId,
  epoch: job.epoch,
  degraded: job.degraded,
  predicted_availability: job.predictedAvailability,
  code_hash: job.codeHash,
  input_sha256: job.inputHash,
  args: [...job.args],
  members: job.members.map(shownMember),
  failed_members: job.failedMembers.map((member) => ({
    node_id: member.providerId,
    owner: member.owner,
    fault: member.fault,
    cause: member.cause,
    slashed: member.slashed,
    forfeit_micro: member.forfeit,
    evidence_id: member.evidenceId,
    message: member.message,
  })),
  proof_id: job.proofId,
  proofs: job.members.flatMap(({ proofId }) => (proofId === null ? [] : [proofId])),
  outcome: job.outcome,
  exit_code: job.exitCode,
  output_sha256: job.outputHash,
  ceiling_micro: job.ceiling,
  price_micro: job.price,
  cost_accrued: job.price ?? '0',
  ...slaOf(job),
  ...settlementOf(job),
  reason: job.reason,
  message: messageOf(job),
  submitted_at: job.submittedAt,
  queue_position: queuePosition,
  waits_until: job.waitsUntil,
  attempt: job.attempt,
  closes_at: job.closesAt,
  bids,
  started_at: job.startedAt,
  ended_at: job.endedAt,
  timeline: job.timeline.map(({ at, event, workflowId, runId, position: where, providerId }) => ({
    at,
    event,
    workflow_id: workflowId,
    run_id: runId,
    position: where,
    provider_id: providerId,
  })),
  position: job.position,
});
