import { describe, expect, test } from 'vitest';
import type { AuctionEvent } from '../../domain/auction/events.ts';
import { bidOf } from '../../domain/auction/market.fixture.ts';
import { newEvent } from '../../domain/event.ts';
import type { JobEvent } from '../../domain/job/events.ts';
import { toMicro, ZERO } from '../../domain/money.ts';
import { NO_STREAM } from '../../domain/ports/event-store.ts';
import { createMemoryEventStore } from '../event-store/memory/store.ts';
import { createBidNews } from './bid-news.ts';

const AT = '2026-01-01T00:00:00.000Z';
const CLOSE = '2026-01-01T00:05:00.000Z';
const TAKEN_BY = '2026-01-01T00:07:00.000Z';
const AUCTION = 'auction-1';
const JOB = 'job-1';

const terms = {
  submitter: 'subject-s',
  quoteId: 'quote-1',
  tier: 'bronze',
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  winners: 1,
  ceiling: toMicro('1000'),
  seed: '00',
} as const;

const opened = (jobId: string | null): AuctionEvent => ({
  type: 'auction.opened',
  machineVersion: 2,
  auctionId: AUCTION,
  jobId,
  ...terms,
  requiredUp: 1,
  minimumOwners: 3,
  rule: 'critical-value',
  auctionSeconds: 300,
  openedAt: AT,
  closesAt: CLOSE,
});
const closed: AuctionEvent[] = [
  { type: 'auction.closed', closedAt: CLOSE },
  { type: 'auction.bids-opened', bids: [bidOf(0, 7), bidOf(1, 8)], refused: [] },
];
const awarded = (allocateBy: string | null): AuctionEvent => ({
  type: 'auction.awarded',
  winners: [{ ...bidOf(0, 7), payment: toMicro('8') }],
  verdicts: [],
  total: toMicro('8'),
  predictedAvailability: 1,
  method: 'exact',
  allocateBy,
});
const submitted: JobEvent = {
  type: 'job.submitted',
  machineVersion: 2,
  jobId: JOB,
  auctionId: AUCTION,
  auctionGiven: false,
  ...terms,
  codeHash: 'aa',
  args: [],
  inputHash: 'bb',
  memoryMb: 64,
  auctionSeconds: 300,
  allowSimulated: true,
  submittedAt: AT,
};
const aborted: JobEvent[] = [
  { type: 'job.aborted', reason: 'RESOURCE_UNAVAILABLE', message: 'stalled' },
  {
    type: 'job.failed',
    reason: 'RESOURCE_UNAVAILABLE',
    message: 'stalled',
    payouts: [],
    price: ZERO,
    failedAt: AT,
  },
];

/** What two bidders, the winner and another one, are told. */
const told = async (auction: readonly AuctionEvent[], job: readonly JobEvent[] = []) => {
  const store = createMemoryEventStore();
  const context = { occurredAt: AT, actor: 'a', correlationId: 'c', causationId: 'c', traceparent: null };
  for (const [stream, events] of [
    [AUCTION, auction],
    [JOB, job],
  ] as const)
    if (events.length > 0)
      await store.append({
        stream,
        expectedRevision: NO_STREAM,
        events: events.map((event) => newEvent(event, context)),
      });
  const news = createBidNews({ store });
  return Promise.all(['provider-0', 'provider-1'].map((id) => news(id, AUCTION)));
};

const decided = (won: boolean, takenBy?: string) => ({
  ok: true,
  value: { type: 'bid-decided', won, ...(takenBy !== undefined && { takenBy }) },
});
const stillOpen = { ok: true, value: { type: 'still-open', closesAt: CLOSE } };

describe('settled 37: a node that has not heard of the close is told whether its reservation is wanted', () => {
  test('not yet, while bids are taken or opened', async () => {
    expect(await told([opened(null)])).toEqual([stillOpen, stillOpen]);
    expect(await told([opened(null), ...closed])).toEqual([stillOpen, stillOpen]);
  });

  test('until the award can no longer be taken', async () => {
    const award = [opened(null), ...closed, awarded(TAKEN_BY)];
    expect(await told(award)).toEqual([decided(true, TAKEN_BY), decided(false)]);
    expect(await told([...award, { type: 'auction.lapsed', lapsedAt: TAKEN_BY }])).toEqual([
      decided(false),
      decided(false),
    ]);
  });

  test('as long as the job that took it goes on', async () => {
    const award = [opened(JOB), ...closed, awarded(null)];
    expect(await told(award, [submitted])).toEqual([decided(true), decided(false)]);
    expect(await told(award, [submitted, ...aborted])).toEqual([decided(false), decided(false)]);
  });

  test('of an auction that nobody knows, nothing', async () => {
    expect(await told([])).toMatchObject([{ code: 'RESOURCE_NOT_FOUND' }, { ok: false }]);
  });
});
