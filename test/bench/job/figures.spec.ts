import { expect, test } from 'vitest';
import { figuresOf } from './figures.ts';

const run = (submitMs: number, beyondAuctionMs: number, failure: string | null = null) => ({
  submitMs,
  beyondAuctionMs,
  failure,
});

test('jobs that failed are counted by reason, and their CPU is borne by those that settled', () => {
  const figures = figuresOf({
    runs: [
      run(100, 1000),
      run(300, 3000),
      run(200, 0, 'AUCTION_NOT_ENOUGH_BIDS'),
      run(Number.NaN, Number.NaN, 'refused'),
    ],
    seconds: 8,
    cpu: { worker: 3, enclave: 1, anvil: 0 },
  });
  const failed = { 'failed: AUCTION_NOT_ENOUGH_BIDS': 1, 'failed: refused': 1 };
  expect(figures).toMatchObject({
    cpu: { value: 2, parts: { worker: 1.5, enclave: 0.5, ...failed } },
    latency: { value: 2000, parts: { 'p95 ms': 2900, ...failed } },
    throughput: {
      value: 0.25,
      parts: {
        settled: 2,
        failed: 2,
        ...failed,
        'submit p50 ms': 200,
        'submit p95 ms': 290,
        'CPU s per job': 2,
      },
    },
  });
});

test('where no job settled there is no figure, but the reasons', () => {
  const { cpu, throughput } = figuresOf({ runs: [run(1, 1, 'failed')], seconds: 1, cpu: {} });
  expect(cpu?.parts).toEqual({ 'failed: failed': 1 });
  expect(throughput).toMatchObject({ value: 0, parts: { settled: 0, failed: 1 } });
});
