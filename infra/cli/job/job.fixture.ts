import type { EngineClient, SubmitRequest } from '../client/client.ts';
import type { Job, JobState, JobSummary, Quote } from '../client/schema.ts';

export const JOB_ID = 'job-01HZY3W9J8Q5K7M2N4P6R8T0V2';
export const OUTPUT = 'the 3\nfog 2\n';
export const OUTPUT_SHA256 = 'b'.repeat(64);

export const quote: Quote = {
  quote_id: 'signed.token',
  h200_hours: '0.007407',
  tier: 'gold',
  ceiling: '7407',
  winners: 3,
  maximum_total: '22221',
  expires_at: '2026-01-01T00:15:00.000Z',
};

export const job = (change: Partial<Job> = {}): Job => ({
  job_id: JOB_ID,
  state: 'settled',
  tier: 'gold',
  epoch: 1,
  degraded: false,
  predicted_availability: 0.99987,
  members: ['cloud_aws', 'cloud_gcp', 'edge_devices'].map((infrastructure_type, index) => ({
    node_id: `provider-${index}`,
    owner: `subject-${index}`,
    infrastructure_type,
    region: `region-${index}`,
    label: 'simulated' as const,
    paid_micro: '5000',
  })),
  failed_members: [],
  proof_id: 'proof-1',
  exit_code: 0,
  output_sha256: OUTPUT_SHA256,
  price_micro: '15000',
  sla: { verdict: 'met', samples: 6, credit_percent: 0 },
  settlement: { price: '15000', refund: '7221', sla_credit: '0' },
  reason: null,
  message: null,
  submitted_at: '2026-01-01T00:00:00.000Z',
  queue_position: null,
  waits_until: '2026-01-01T00:05:00.000Z',
  closes_at: '2026-01-01T00:00:10.000Z',
  bids: 6,
  timeline: [
    {
      at: '2026-01-01T00:00:00.000Z',
      event: 'job.submitted',
      position: '40',
      provider_id: null,
    },
    {
      at: '2026-01-01T00:00:10.500Z',
      event: 'job.enclave-attested',
      position: '61',
      provider_id: 'provider-0',
    },
    {
      at: '2026-01-01T00:00:12.250Z',
      event: 'job.settled',
      position: '77',
      provider_id: null,
    },
  ],
  position: '77',
  ...change,
});

/** A job on its way: nothing of its end is known. */
export const jobIn = (state: JobState, change: Partial<Job> = {}): Job => {
  const { sla: _, settlement: __, ...rest } = job();
  return {
    ...rest,
    state,
    proof_id: null,
    exit_code: null,
    output_sha256: null,
    price_micro: null,
    members: [],
    predicted_availability: null,
    ...change,
  };
};

export interface ScriptedClient extends EngineClient {
  /** Method and argument of every call, in order. */
  readonly calls: (readonly [string, unknown])[];
}

/** The engine port over a script: each look at the job takes the next of `states`, the last one for good. */
export const scriptedClient = (
  states: readonly Job[],
  { summaries = [] }: { summaries?: readonly JobSummary[] } = {},
): ScriptedClient => {
  const calls: [string, unknown][] = [];
  let looks = 0;
  return {
    calls,
    quote: async (request) => {
      calls.push(['quote', request]);
      return quote;
    },
    upload: async (bytes, mediaType) => {
      calls.push(['upload', mediaType]);
      return `sha256-of-${bytes.length}-bytes`;
    },
    download: async (sha256) => {
      calls.push(['download', sha256]);
      return Buffer.from(OUTPUT);
    },
    submit: async (request: SubmitRequest) => {
      calls.push(['submit', request]);
      return { job_id: JOB_ID, state: 'quoted', position: '40' };
    },
    status: async (jobId, options = {}) => {
      calls.push(['status', { jobId, ...options }]);
      return states[Math.min(looks++, states.length - 1)] as Job;
    },
    jobs: async function* () {
      yield* summaries;
    },
  };
};
