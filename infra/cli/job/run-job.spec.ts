import { expect, test } from 'vitest';
import { JOB_ID, job, jobIn, scriptedClient } from './job.fixture.ts';
import { type JobProgress, type JobRunOptions, runJob } from './run-job.ts';

const options: JobRunOptions = {
  module: new Uint8Array(5),
  input: null,
  args: ['-n', '3'],
  tier: 'gold',
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  auctionSeconds: 10,
  maxPriceMicro: null,
  memoryMb: null,
  allowSimulated: true,
  wait: true,
};

test('prices before it stores anything, submits by that quote and follows to the end', async () => {
  const client = scriptedClient([jobIn('quoted'), jobIn('auctioning'), jobIn('running'), job()]);
  const progress: JobProgress[] = [];
  const end = await runJob(client, options, (step) => progress.push(step));
  expect(end.state).toBe('settled');
  expect(client.calls).toEqual([
    ['quote', { tier: 'gold', required_tops: 500, utilization: 0.8, duration_seconds: 60 }],
    ['upload', 'application/wasm'],
    [
      'submit',
      {
        quote_id: 'signed.token',
        code_hash: 'sha256-of-5-bytes',
        args: ['-n', '3'],
        auction_seconds: 10,
        allow_simulated: true,
      },
    ],
    ['status', { jobId: JOB_ID, after: '40' }],
    ['status', { jobId: JOB_ID, waitSeconds: 1 }],
    ['status', { jobId: JOB_ID, waitSeconds: 1 }],
    ['status', { jobId: JOB_ID, waitSeconds: 1 }],
  ]);
  expect(progress.map((step) => (step.type === 'followed' ? step.job.state : step.type))).toEqual([
    'quoted',
    'uploaded',
    'submitted',
    'quoted',
    'auctioning',
    'running',
    'settled',
  ]);
});

test('what is optional is sent only when it was given', async () => {
  const client = scriptedClient([jobIn('quoted')]);
  const all = { ...options, wait: false, input: new Uint8Array(7), maxPriceMicro: '5000', memoryMb: 64 };
  await runJob(client, all, () => undefined);
  expect(client.calls.find(([method]) => method === 'submit')?.[1]).toMatchObject({
    input_ref: 'sha256-of-7-bytes',
    max_price_micro: '5000',
  });
  // It is priced, and a job may use what was quoted.
  expect(client.calls.find(([method]) => method === 'quote')?.[1]).toMatchObject({ memory_mb: 64 });
});

test('a job that fails is an answer, not an exception', async () => {
  const failed = jobIn('failed', { reason: 'TIME_LIMIT_EXCEEDED', message: 'ran for 60 s' });
  const end = await runJob(scriptedClient([jobIn('running'), failed]), options, () => undefined);
  expect(end).toMatchObject({ state: 'failed', reason: 'TIME_LIMIT_EXCEEDED' });
});
