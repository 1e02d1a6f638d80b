import { expect, test } from 'vitest';
import { messageOf } from './job.ts';

const failed = {
  reason: 'AUCTION_NOT_ENOUGH_BIDS',
  message: 'bids of distinct owners: have 0, need 3',
  requiredTops: 6000,
  utilization: 1,
  durationSeconds: 300,
};

test('settled 44: who declares more than a core can do in the time is told so where no node bids', () => {
  expect(messageOf(failed)).toMatch(
    /^bids of distinct owners: have 0, need 3; .*6000000000 units of fuel a second/,
  );
  expect(messageOf({ ...failed, utilization: 0.1 })).toBe(failed.message);
  expect(messageOf({ ...failed, reason: 'RESULT_DISAGREEMENT' })).toBe(failed.message);
  expect(messageOf({ ...failed, reason: null, message: null })).toBeNull();
});
