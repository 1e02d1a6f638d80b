import { expect } from 'vitest';
import type { z } from 'zod';
import type { jobSchema } from '../../../api/routes/jobs/job.ts';
import { type Rest, sha256Of } from '../../support/rest.ts';
import { assembleTestModule } from '../../workloads/assemble.ts';

export type JobBody = z.output<typeof jobSchema>;

/** About the least that a job can ask for (settled 41): one winner, a tenth of the smallest node, a one-second auction. */
export const SMALL_JOB = {
  tier: 'bronze',
  required_tops: 10,
  utilization: 0.8,
  duration_seconds: 90,
  auction_seconds: 1,
  memory_mb: 64,
  allow_simulated: true,
} as const;

/** Stores a module of `test/workloads/` and returns its hash. */
export const storeModule = async (rest: Rest, name: string): Promise<string> => {
  const bytes = new Uint8Array(await assembleTestModule(name));
  const stored = await rest.store(bytes, 'application/wasm');
  expect(stored).toMatchObject({ status: 200, body: { media_type: 'application/wasm' } });
  return sha256Of(bytes);
};

/** Waits for the job's end by the API's own bounded wait. */
export const endOf = async (rest: Rest, jobId: string): Promise<JobBody> => {
  for (let waits = 0; waits < 4; waits++) {
    const { status, body } = await rest.get<JobBody>(
      `/v1/fog/scheduler/status/${jobId}?wait_for=terminal&timeout=30`,
    );
    expect(status).toBe(200);
    if (body.state === 'settled' || body.state === 'failed') return body;
  }
  throw new Error(`${jobId} did not end within two minutes`);
};

/** Submits a job and waits for its end. */
export const runToEnd = async (rest: Rest, body: object): Promise<JobBody> => {
  const submitted = await rest.post<{ job_id: string }>('/v1/fog/scheduler/submit', body);
  expect(submitted).toMatchObject({ status: 202 });
  return endOf(rest, submitted.body.job_id);
};
