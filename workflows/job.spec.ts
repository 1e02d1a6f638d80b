import { afterEach, expect, test, vi } from 'vitest';
import { jobLifecycle } from './job.ts';
import type { ActivityEffect } from './lifecycle.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('a job whose settlement fails for good fails then, not when it was submitted', () => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:10:00.000Z') });
  const settle = jobLifecycle.effects['settle'] as ActivityEffect<never>;
  expect(settle.failed({} as never, 'the ledger is gone')).toEqual([
    {
      type: 'job.failed',
      reason: 'INTERNAL_ERROR',
      message: 'the ledger is gone',
      payouts: [],
      price: '0',
      failedAt: '2026-01-01T00:10:00.000Z',
    },
  ]);
});
