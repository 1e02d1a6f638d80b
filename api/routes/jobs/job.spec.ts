import { expect, test } from 'vitest';
import type { JobProven } from '../../../domain/job/events.ts';
import { compared } from '../../../projections/jobs/members.ts';
import type { JobMember } from '../../../projections/jobs/table.ts';
import { messageOf, shownMember } from './job.ts';

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

test('settled 43: each member shows the verdict by which it is paid, and none where all were judged as one', () => {
  const members = ['on-time', 'late'].map((providerId) => ({ providerId, sla: null }) as JobMember);
  const met = { verdict: 'met', samples: 6, missedShare: 0, creditPercent: 0 } as const;
  const missed = { verdict: 'missed', samples: 9, missedShare: 0.5, creditPercent: 25 } as const;
  const proven: Pick<JobProven, 'accepted' | 'memberSla'> = {
    accepted: ['on-time', 'late'],
    memberSla: [
      { providerId: 'on-time', ...met },
      { providerId: 'late', ...missed },
    ],
  };
  expect(compared(members, proven).map((member) => shownMember(member).sla)).toEqual([
    { verdict: 'met', samples: 6, missed_share: 0, credit_percent: 0 },
    { verdict: 'missed', samples: 9, missed_share: 0.5, credit_percent: 25 },
  ]);
  const { memberSla: _, ...old } = proven;
  expect(compared(members, old).map((member) => shownMember(member).sla)).toEqual([undefined, undefined]);
});
