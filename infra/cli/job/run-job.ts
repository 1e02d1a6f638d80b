import type { EngineClient } from '../client/client.ts';
import type { Job, Quote, Submitted } from '../client/schema.ts';

export interface JobRunOptions {
  /** A WASI preview 1 module. */
  readonly module: Uint8Array<ArrayBuffer>;
  /** Standard input; null for none. */
  readonly input: Uint8Array<ArrayBuffer> | null;
  readonly args: readonly string[];
  readonly tier: string;
  readonly requiredTops: number;
  /** 0..1. */
  readonly utilization: number;
  /** Time limit of the run. */
  readonly durationSeconds: number;
  readonly auctionSeconds: number;
  /** How long it may wait for room; the engine's default unless given. */
  readonly maxWaitSeconds?: number;
  /** Most that one winner may be paid, micro-units; the quote's ceiling unless given. */
  readonly maxPriceMicro: string | null;
  /** Memory of every enclave; the engine's default unless given. */
  readonly memoryMb: number | null;
  readonly allowSimulated: boolean;
  /** Follow the job to its end; otherwise it is only submitted. */
  readonly wait: boolean;
}

export type JobProgress =
  | { readonly type: 'quoted'; readonly quote: Quote }
  | { readonly type: 'uploaded'; readonly bytes: number }
  | { readonly type: 'submitted'; readonly jobId: string }
  /** At least once a second until the job ends; `job` may be as before. */
  | { readonly type: 'followed'; readonly job: Job };

/** Told of every step, in order. */
export type JobReporter = (progress: JobProgress) => void;

/** Bound of one wait for the end, so that progress shows at least as often. */
const WAIT_SECONDS = 1;

export const hasEnded = ({ state }: Pick<Job, 'state'>): boolean => state === 'settled' || state === 'failed';

const submit = async (
  client: EngineClient,
  options: JobRunOptions,
  report: JobReporter,
): Promise<Submitted> => {
  const quote = await client.quote({
    tier: options.tier,
    required_tops: options.requiredTops,
    utilization: options.utilization,
    duration_seconds: options.durationSeconds,
    ...(options.memoryMb === null ? {} : { memory_mb: options.memoryMb }),
  });
  report({ type: 'quoted', quote });
  const codeHash = await client.upload(options.module, 'application/wasm');
  const input = options.input && (await client.upload(options.input, 'application/octet-stream'));
  report({ type: 'uploaded', bytes: options.module.length + (options.input?.length ?? 0) });
  const submitted = await client.submit({
    quote_id: quote.quote_id,
    code_hash: codeHash,
    args: options.args,
    auction_seconds: options.auctionSeconds,
    ...(options.maxWaitSeconds === undefined ? {} : { max_wait_seconds: options.maxWaitSeconds }),
    allow_simulated: options.allowSimulated,
    ...(input === null ? {} : { input_ref: input }),
    ...(options.maxPriceMicro === null ? {} : { max_price_micro: options.maxPriceMicro }),
  });
  report({ type: 'submitted', jobId: submitted.job_id });
  return submitted;
};

/**
 * Prices a job, stores its module and input, submits it and, if asked to, follows it to its end. A refused price stores
 * nothing. A job that fails is an answer, not an error.
 * @returns the job as last seen.
 * @throws CliError with the API's refusal.
 */
export const runJob = async (
  client: EngineClient,
  options: JobRunOptions,
  report: JobReporter,
): Promise<Job> => {
  const { job_id: jobId, position } = await submit(client, options, report);
  let job = await client.status(jobId, { after: position });
  report({ type: 'followed', job });
  while (options.wait && !hasEnded(job)) {
    job = await client.status(jobId, { waitSeconds: WAIT_SECONDS });
    report({ type: 'followed', job });
  }
  return job;
};
