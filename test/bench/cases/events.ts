import type { NewEvent } from '../../../domain/event.ts';

const SUBJECT = '01JDFXM5V1ZQ4E9Y3K2T7W8XAB';

/** An event of the size and shape of a sealed bid. */
const bid = (number: number): NewEvent => ({
  type: 'auction.bid-placed',
  schemaVersion: 1,
  occurredAt: '2026-01-02T03:04:05.678Z',
  actor: `subject-${SUBJECT}`,
  correlationId: `job-${SUBJECT}`,
  causationId: `command-${SUBJECT}`,
  traceparent: null,
  data: {
    bidId: `bid-${number}`,
    owner: `subject-${SUBJECT}`,
    sealed: 'c2VhbGVkLWJpZC1jaXBoZXJ0ZXh0LWFuZC1ub25jZS1hbmQtdGFn',
    deposit: '1234567',
    placedAt: '2026-01-02T03:04:05.678Z',
  },
});

export const bids = (first: number, count: number): NewEvent[] =>
  Array.from({ length: count }, (_, index) => bid(first + index));
