import { expect, it } from 'vitest';
import type { EventsItem } from './inbox.ts';
import { TakenOver } from './taken-over.ts';

const answer = (cause: string, ...types: readonly string[]): EventsItem => ({
  kind: 'events',
  effect: 'run',
  events: types.map((type) => ({ type })),
  cause,
});

it('knows an answer by what asked for it and what it begins with', () => {
  const taken = new TakenOver();
  taken.note('job-1@4', 'job.run-started');
  expect(taken.has(answer('job-1@4', 'job.run-started'))).toBe(true);
  expect(taken.has(answer('job-1@4', 'job.aborted'))).toBe(false);
  expect(taken.has(answer('job-1@40', 'job.run-started'))).toBe(false);
  expect(taken.has(answer('job-1@4'))).toBe(false);
});

it('hands on what concerns running effects, and nothing else', () => {
  const taken = new TakenOver();
  taken.note('job-1@4', 'job.run-started');
  taken.note('job-1@40', 'job.proven');
  const next = new TakenOver(taken.carried(['job-1@4']));
  expect(next.has(answer('job-1@4', 'job.run-started'))).toBe(true);
  expect(next.has(answer('job-1@40', 'job.proven'))).toBe(false);
});
