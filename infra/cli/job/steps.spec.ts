import { expect, test } from 'vitest';
import { job, jobIn, quote } from './job.fixture.ts';
import { quoteTitle, STEPS, stepOf, titleOf } from './steps.ts';

const NOW = Date.parse('2026-01-01T00:00:03.200Z');

test('every state on the way is a step; the ends and a job that is being given up are none', () => {
  const way = [
    'queued',
    'quoted',
    'auctioning',
    'forming',
    'launching',
    'running',
    'proving',
    'settling',
  ] as const;
  const steps = way.map((state) => stepOf(jobIn(state)));
  expect(steps).toEqual(['queue', 'auction', 'auction', 'quorum', 'enclaves', 'run', 'proof', 'settlement']);
  expect(stepOf(job())).toBeNull();
  expect(stepOf(jobIn('failed'))).toBeNull();
  expect(stepOf(jobIn('settling', { reason: 'QUORUM_NOT_ACHIEVED' }))).toBeNull();
});

test('titles tell what is known so far', () => {
  expect(quoteTitle(quote)).toBe(
    'Quote: gold, 0.007407 H200-hours, 3 winners, at most 7407 micro-units each',
  );
  expect(titleOf('queue', jobIn('queued', { queue_position: 3 }), NOW)).toBe(
    'Queued for room on the nodes (place 3, for at most 297 s more)',
  );
  expect(titleOf('queue', jobIn('auctioning'), NOW)).toBe('Room on the nodes');
  expect(titleOf('auction', jobIn('auctioning', { bids: 0 }), NOW)).toBe('Sealed auction (closes in 7 s)');
  expect(titleOf('auction', jobIn('auctioning', { bids: 1 }), NOW + 60_000)).toBe(
    'Sealed auction (1 bid, closes in 0 s)',
  );
  expect(titleOf('auction', jobIn('quoted', { bids: null }), NOW)).toBe('Sealed auction');
  expect(titleOf('auction', job(), NOW)).toBe('Sealed auction (6 bids)');
  expect(titleOf('quorum', job(), NOW)).toBe('Quorum: 3 members, predicted availability 0.999870');
  expect(titleOf('quorum', job({ epoch: 2, degraded: true }), NOW)).toMatch(/epoch 2, degraded$/);
  expect(titleOf('enclaves', job(), NOW)).toBe('Enclaves attested (simulated)');
  const lost = { node_id: 'provider-9', fault: 'lost', slashed: false, message: 'no heartbeat' };
  expect(titleOf('run', job({ failed_members: [lost] }), NOW)).toBe('Run (1 member replaced)');
  expect(titleOf('proof', job(), NOW)).toBe('Results compared, proof-1');
  expect(titleOf('settlement', job(), NOW)).toBe('Settled for 15000 micro-units');
  for (const step of STEPS) expect(titleOf(step, null, NOW)).toMatch(/^\w+( \w+)*$/);
});
