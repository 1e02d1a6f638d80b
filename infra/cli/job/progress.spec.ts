import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { Job } from '../client/schema.ts';
import { JOB_ID, job, jobIn, quote } from './job.fixture.ts';
import { createProgressView } from './progress.ts';
import { STEPS, type Step, SUBMISSION_STEPS } from './steps.ts';

/** All that a view writes to something that is no terminal. */
const drawn = async (jobs: readonly Job[], steps: readonly Step[] = STEPS): Promise<string> => {
  const stream = Object.assign(new PassThrough(), { isTTY: false, columns: 120 });
  const view = createProgressView(stream as unknown as NodeJS.WriteStream, steps, () => 0);
  view.report({ type: 'quoted', quote });
  view.report({ type: 'uploaded', bytes: 1234 });
  view.report({ type: 'submitted', jobId: JOB_ID });
  for (const each of jobs) view.report({ type: 'followed', job: each });
  await view.close();
  stream.end();
  return text(stream);
};

const done = (output: string): string[] =>
  output.split('\n').flatMap((line) => line.match(/(?:✔|√)\S* (.*)$/u)?.[1] ?? []);

test('a job that settles ends every step, in order, also when states were missed between two looks', async () => {
  const lines = done(await drawn([jobIn('auctioning'), jobIn('proving'), job()]));
  expect(lines).toEqual([
    'Quote: gold, 0.007407 H200-hours, 3 winners, at most 7407 micro-units each',
    'Uploaded 1234 bytes',
    `Submitted as ${JOB_ID}`,
    'Room on the nodes',
    'Sealed auction (6 bids)',
    'Quorum: 3 members, predicted availability 0.999870',
    'Enclaves attested (simulated)',
    'Run',
    'Results compared, proof-1',
    'Settled for 15000 micro-units',
  ]);
});

test('a job that goes back for a new member does not undo what was done', async () => {
  const lines = done(await drawn([jobIn('running'), jobIn('forming'), jobIn('running'), job()]));
  expect(lines).toHaveLength(10);
});

test('a job that fails ends the step it was at, with the reason, and none after it', async () => {
  const reason = 'AUCTION_NOT_ENOUGH_BIDS';
  const output = await drawn([
    jobIn('auctioning'),
    jobIn('settling', { reason }),
    jobIn('failed', { reason, message: 'have 2, need 4' }),
  ]);
  expect(done(output).at(-1)).toBe('Room on the nodes');
  expect(output).toContain(reason);
  expect(output).not.toContain('Quorum');
});

test('a job that is not waited for ends with its submission', async () => {
  const output = await drawn([jobIn('auctioning')], SUBMISSION_STEPS);
  expect(done(output)).toHaveLength(3);
  expect(output).not.toMatch(/auction|FAILED/);
});

test('an error in the middle ends the step it came in', async () => {
  const output = await drawn([]);
  expect(done(output)).toHaveLength(3);
  expect(output).toMatch(/Room on the nodes.*FAILED/);
});
