import { z } from 'zod';

/** What the CLI reads of the API's answers; the API may say more. */
const micro = z.string();

export const quoteSchema = z.object({
  quote_id: z.string(),
  h200_hours: z.string(),
  tier: z.string(),
  ceiling: micro,
  winners: z.int(),
  maximum_total: micro,
  expires_at: z.string(),
});
export type Quote = z.output<typeof quoteSchema>;

export const submittedSchema = z.object({ job_id: z.string(), state: z.string(), position: z.string() });
export type Submitted = z.output<typeof submittedSchema>;

/** States of a job in their order; the last two are its ends. */
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
] as const;
export type JobState = (typeof JOB_STATES)[number];

const memberSchema = z.object({
  node_id: z.string(),
  owner: z.string(),
  infrastructure_type: z.string(),
  region: z.string(),
  label: z.enum(['hardware', 'simulated']).nullable(),
  paid_micro: micro.nullable(),
});
export type Member = z.output<typeof memberSchema>;

export const jobSchema = z.object({
  job_id: z.string(),
  state: z.enum(JOB_STATES),
  tier: z.string(),
  epoch: z.int(),
  degraded: z.boolean(),
  predicted_availability: z.number().nullable(),
  members: z.array(memberSchema),
  failed_members: z.array(
    z.object({ node_id: z.string(), fault: z.string(), slashed: z.boolean(), message: z.string() }),
  ),
  proof_id: z.string().nullable(),
  exit_code: z.int().nullable(),
  output_sha256: z.string().nullable(),
  price_micro: micro.nullable(),
  sla: z
    .object({ verdict: z.enum(['met', 'missed']), samples: z.int(), credit_percent: z.number() })
    .optional(),
  settlement: z.object({ price: micro, refund: micro, sla_credit: micro }).optional(),
  reason: z.string().nullable(),
  message: z.string().nullable(),
  submitted_at: z.string(),
  queue_position: z.int().nullable(),
  waits_until: z.string().nullable(),
  closes_at: z.string().nullable(),
  bids: z.int().nullable(),
  timeline: z.array(
    z.object({
      at: z.string(),
      event: z.string(),
      position: z.string(),
      provider_id: z.string().nullable(),
    }),
  ),
  position: z.string(),
});
export type Job = z.output<typeof jobSchema>;

export const queueSchema = z.object({
  own: z.object({
    items: z.array(
      z.object({
        job_id: z.string(),
        state: z.enum(JOB_STATES),
        tier: z.string(),
        price_micro: micro.nullable(),
        submitted_at: z.string(),
      }),
    ),
    next_cursor: z.string().nullable(),
  }),
});
export type JobSummary = z.output<typeof queueSchema>['own']['items'][number];
