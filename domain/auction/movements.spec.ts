import { describe, expect, test } from 'vitest';
import { type AnyMachineSnapshot, getInitialSnapshot } from 'xstate';
import type { LedgerEntry } from '../ledger/entry.ts';
import { applyEvent } from '../lifecycle.ts';
import { toMicro } from '../money.ts';
import { addSeconds } from '../time.ts';
import type { Auction } from './auction.ts';
import type { AuctionAwarded, AuctionEvent, AuctionOpened } from './events.ts';
import { auctionMachine } from './machine.ts';
import { bidOf } from './market.fixture.ts';
import { movements } from './movements.ts';

const AT = '2026-01-01T00:00:00.000Z';

const opened = (jobId: string | null): AuctionOpened => ({
  type: 'auction.opened',
  machineVersion: 1,
  auctionId: 'auction-1',
  submitter: 'subject-s',
  jobId,
  quoteId: 'quote-1',
  tier: 'bronze',
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  winners: 2,
  requiredUp: 1,
  minimumOwners: 3,
  ceiling: toMicro('1000'),
  rule: 'critical-value',
  seed: '00',
  auctionSeconds: 300,
  openedAt: AT,
  closesAt: AT,
});

const placed = (index: number): AuctionEvent => ({
  type: 'auction.bid-placed',
  bidId: `bid-${index}`,
  providerId: `provider-${index}`,
  owner: `owner-${index}`,
  sealed: 'box',
  deposit: toMicro('1000'),
  placedAt: AT,
});

const closing: AuctionEvent[] = [
  { type: 'auction.closed', closedAt: AT },
  { type: 'auction.bids-opened', bids: [bidOf(0, 7), bidOf(1, 8)], refused: [] },
];

const awarded = (allocateBy: string | null): AuctionAwarded => ({
  type: 'auction.awarded',
  winners: [{ ...bidOf(0, 7), payment: toMicro('8') }],
  verdicts: [],
  total: toMicro('8'),
  predictedAvailability: 1,
  method: 'exact',
  allocateBy,
});

const failed: AuctionEvent = {
  type: 'auction.failed',
  reason: 'AUCTION_NOT_ENOUGH_BIDS',
  message: '',
  verdicts: [],
};

/** `from > to: amount` for every entry that the last event causes. */
const moved = (...events: readonly AuctionEvent[]): string[] => {
  const last = events.at(-1) as AuctionEvent;
  const state = events
    .slice(0, -1)
    .reduce<AnyMachineSnapshot>(
      (snapshot, event) => applyEvent(auctionMachine, snapshot, event)[0],
      getInitialSnapshot(auctionMachine),
    );
  const entries = movements(state.context as Auction, last, 'auction-1@9');
  expect(new Set(entries.map(({ entryId }) => entryId)).size).toBe(entries.length);
  expect(entries.every(({ cause }) => cause === 'auction-1@9')).toBe(true);
  return entries.map(
    ({ kind, postings: [from, to] }: LedgerEntry) =>
      `${kind} ${from?.account} > ${to?.account}: ${to?.amount}`,
  );
};

describe('an auction on its own', () => {
  const start = [opened(null), placed(0), placed(1)];

  test('holds winners × ceiling when it opens, and a ceiling for every bid', () => {
    expect(moved(opened(null))).toEqual(['hold available:subject-s > escrow:auction-1: 2000']);
    expect(moved(opened(null), placed(0))).toEqual(['hold available:owner-0 > deposit:bid-0: 1000']);
  });

  test('settled 41: takes the fee for opening it, and keeps it when all else goes back', () => {
    const asked = { ...opened(null), openingFee: toMicro('20') };
    expect(moved(asked)).toEqual([
      'hold available:subject-s > escrow:auction-1: 2000',
      'fee available:subject-s > fees: 20',
    ]);
    expect(moved(asked, failed)).toEqual(['release escrow:auction-1 > available:subject-s: 2000']);
  });

  test('gives the losers their deposits back with the award', () => {
    expect(moved(...start, ...closing, awarded(AT))).toEqual([
      'release deposit:bid-1 > available:owner-1: 1000',
    ]);
  });

  test('gives everything back when it fails', () => {
    expect(moved(...start, failed)).toEqual([
      'release deposit:bid-0 > available:owner-0: 1000',
      'release deposit:bid-1 > available:owner-1: 1000',
      'release escrow:auction-1 > available:subject-s: 2000',
    ]);
  });

  test('gives the rest back when nobody takes the award', () => {
    expect(moved(...start, ...closing, awarded(AT), { type: 'auction.lapsed', lapsedAt: AT })).toEqual([
      'release deposit:bid-0 > available:owner-0: 1000',
      'release escrow:auction-1 > available:subject-s: 2000',
    ]);
  });

  describe('settled 41: an award that waits to be taken', () => {
    const reservation = { hourly: toMicro('3600000'), held: toMicro('120000') };
    const asked: AuctionOpened = { ...opened(null), reservation };
    const story = [asked, placed(0), placed(1), ...closing, awarded(addSeconds(AT, 120))];

    test('is held for at the opening, per winner', () => {
      expect(moved(asked)).toEqual([
        'hold available:subject-s > escrow:auction-1: 2000',
        'hold available:subject-s > rent:auction-1: 240000',
      ]);
    });

    test('pays its winners for the seconds until a job takes it', () => {
      const allocated: AuctionEvent = {
        type: 'auction.allocated',
        jobId: 'job-1',
        allocatedAt: addSeconds(AT, 7),
      };
      expect(moved(...story, allocated)).toEqual([
        'payment rent:auction-1 > available:owner-0: 7000',
        'release rent:auction-1 > available:subject-s: 233000',
      ]);
    });

    test('pays them for all of the time where nobody does, however late that is noticed', () => {
      expect(moved(...story, { type: 'auction.lapsed', lapsedAt: addSeconds(AT, 150) })).toEqual([
        'release deposit:bid-0 > available:owner-0: 1000',
        'release escrow:auction-1 > available:subject-s: 2000',
        'payment rent:auction-1 > available:owner-0: 120000',
        'release rent:auction-1 > available:subject-s: 120000',
      ]);
    });

    test('costs nothing where there is none', () => {
      expect(moved(asked, placed(0), failed)).toEqual([
        'release deposit:bid-0 > available:owner-0: 1000',
        'release escrow:auction-1 > available:subject-s: 2000',
        'release rent:auction-1 > available:subject-s: 240000',
      ]);
    });
  });

  test('moves nothing when it is extended, closed, opened or taken', () => {
    const extended: AuctionEvent = { type: 'auction.extended', extendedAt: AT, closesAt: AT, owners: 1 };
    expect(moved(...start, extended)).toEqual([]);
    expect(moved(...start, ...closing.slice(0, 1))).toEqual([]);
    expect(moved(...start, ...closing)).toEqual([]);
    const allocated: AuctionEvent = { type: 'auction.allocated', jobId: 'job-1' };
    expect(moved(...start, ...closing, awarded(AT), allocated)).toEqual([]);
  });
});

describe('the auction of a job', () => {
  test('leaves the escrow to the job', () => {
    expect(moved(opened('job-1'))).toEqual([]);
    expect(moved(opened('job-1'), placed(0), failed)).toEqual([
      'release deposit:bid-0 > available:owner-0: 1000',
    ]);
  });
});
