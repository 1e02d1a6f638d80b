import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { CliError } from '../failure.ts';
import {
  type Job,
  type JobSummary,
  jobSchema,
  type Quote,
  queueSchema,
  quoteSchema,
  type Submitted,
  submittedSchema,
} from './schema.ts';
import type { Transport } from './transport.ts';

export interface QuoteRequest {
  readonly tier: string;
  readonly required_tops: number;
  readonly utilization: number;
  readonly duration_seconds: number;
  /** MiB of each enclave; the engine's default unless given. */
  readonly memory_mb?: number;
}

/** Body of `POST /v1/fog/scheduler/submit` (settled 22). */
export interface SubmitRequest {
  readonly quote_id: string;
  /** Hex SHA-256 of the module. */
  readonly code_hash: string;
  readonly args: readonly string[];
  /** Hex SHA-256 of standard input; none is empty input. */
  readonly input_ref?: string;
  /** Most that one winner may be paid, micro-units. */
  readonly max_price_micro?: string;
  readonly auction_seconds?: number;
  /** How long it may wait for room. */
  readonly max_wait_seconds?: number;
  readonly allow_simulated: boolean;
}

export interface StatusOptions {
  /** Wait for the job's end, for at most so many seconds. */
  readonly waitSeconds?: number;
  /** The answer includes this position. */
  readonly after?: string;
}

/** The part of the REST API that the command line uses. Every method throws CliError. */
export interface EngineClient {
  quote(request: QuoteRequest): Promise<Quote>;
  /** Stores bytes and returns their hex SHA-256. */
  upload(bytes: Uint8Array<ArrayBuffer>, mediaType: string): Promise<string>;
  /** The bytes of that SHA-256, checked. */
  download(sha256: string): Promise<Uint8Array>;
  submit(request: SubmitRequest): Promise<Submitted>;
  status(jobId: string, options?: StatusOptions): Promise<Job>;
  /** The caller's own jobs, newest first, page by page. */
  jobs(): AsyncIterable<JobSummary>;
}

const TRANSFER_TIMEOUT_MS = 300_000;
const WAIT_MARGIN_MS = 15_000;
const PAGE_SIZE = '500';

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const pathOf = (path: string, query: Readonly<Record<string, string>>): string =>
  Object.keys(query).length === 0 ? path : `${path}?${new URLSearchParams(query).toString()}`;

export const createClient = (transport: Transport): EngineClient => {
  const command = <S extends z.ZodType>(path: string, body: unknown, schema: S) =>
    transport.json(
      {
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
        body: JSON.stringify(body),
      },
      schema,
    );

  return {
    quote: (request) => command('/v1/fog/pricing/quote', request, quoteSchema),
    upload: async (bytes, mediaType) => {
      const sha256 = sha256Of(bytes);
      await transport.json(
        {
          method: 'PUT',
          path: `/v1/artifacts/${sha256}`,
          headers: { 'content-type': mediaType },
          body: bytes,
          timeoutMs: TRANSFER_TIMEOUT_MS,
        },
        z.object({ sha256: z.literal(sha256) }),
      );
      return sha256;
    },
    download: async (sha256) => {
      const bytes = await transport.bytes({
        method: 'GET',
        path: `/v1/artifacts/${sha256}`,
        timeoutMs: TRANSFER_TIMEOUT_MS,
      });
      if (sha256Of(bytes) !== sha256) throw new CliError(`The API sent other bytes than those of ${sha256}`);
      return bytes;
    },
    submit: (request) => command('/v1/fog/scheduler/submit', request, submittedSchema),
    status: (jobId, { waitSeconds, after } = {}) => {
      const query = {
        ...(waitSeconds === undefined ? {} : { wait_for: 'terminal', timeout: String(waitSeconds) }),
        ...(after === undefined ? {} : { after }),
      };
      return transport.json(
        {
          method: 'GET',
          path: pathOf(`/v1/fog/scheduler/status/${encodeURIComponent(jobId)}`, query),
          timeoutMs: (waitSeconds ?? 0) * 1_000 + WAIT_MARGIN_MS,
        },
        jobSchema,
      );
    },
    jobs: async function* () {
      let cursor: string | null = null;
      do {
        const query: Record<string, string> = { limit: PAGE_SIZE, ...(cursor === null ? {} : { cursor }) };
        const page: z.output<typeof queueSchema> = await transport.json(
          { method: 'GET', path: pathOf('/v1/fog/scheduler/queue', query) },
          queueSchema,
        );
        yield* page.own.items;
        cursor = page.own.next_cursor;
      } while (cursor !== null);
    },
  };
};
