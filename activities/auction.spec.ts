import { describe, expect, test } from 'vitest';
import { award } from '../domain/auction/award.ts';
import { decide } from '../domain/auction/decide.ts';
import type { AuctionEvent, AuctionOpened, BidRisk } from '../domain/auction/events.ts';
import { auctionMachine } from '../domain/auction/machine.ts';
import { bidOf } from '../domain/auction/market.fixture.ts';
import type { Room } from '../domain/auction/room.ts';
import { surchargesOf } from '../domain/auction/surcharge.ts';
import { toMicro } from '../domain/money.ts';
import type { Solver } from '../domain/ports/solver.ts';
import type { MarketPlacement } from '../infra/providers/provider-market.ts';
import { machineDecider, specify } from '../test/support/decider.ts';
import { createAuctionActivities } from './auction.ts';

const OPENED_AT = '2026-01-01T00:00:00.000Z';
const NOW = '2026-01-01T00:00:10.500Z';
const { given } = specify(machineDecider(auctionMachine, decide));

/** A closed auction of five owners that wants four. */
const closed = (...between: readonly AuctionEvent[]) => closedUnder('critical-value', ...between);

const closedUnder = (rule: AuctionOpened['rule'], ...between: readonly AuctionEvent[]) => {
  const opened: AuctionEvent = {
    type: 'auction.opened',
    machineVersion: 2,
    auctionId: 'auction-1',
    submitter: 'subject-submitter',
    jobId: null,
    quoteId: 'quote-1',
    tier: 'gold',
    tierTableVersion: 1,
    requiredTops: 500,
    utilization: 0.8,
    durationSeconds: 60,
    winners: 3,
    requiredUp: 2,
    minimumOwners: 4,
    ceiling: toMicro('1000'),
    rule,
    seed: '00',
    auctionSeconds: 10,
    openedAt: OPENED_AT,
    closesAt: '2026-01-01T00:00:10.000Z',
  };
  const bids = [0, 1, 2, 3, 4].map(
    (index): AuctionEvent => ({
      type: 'auction.bid-placed',
      bidId: `bid-${index}`,
      providerId: `provider-${index}`,
      owner: `owner-${index}`,
      sealed: `${100 + index}`,
      deposit: toMicro('1000'),
      placedAt: OPENED_AT,
    }),
  );
  const close: AuctionEvent = { type: 'auction.closed', closedAt: NOW };
  return given(opened, ...bids, ...between, close).state;
};

let opened = 0;
let asked: string[] = [];
let solved = 0;
let monotonic = 0;
const activitiesWith = (
  admitted: readonly number[],
  full: readonly number[] = [],
  roomOf = (index: number): Room => (full.includes(index) ? 'full' : 'held'),
) => {
  opened = 0;
  monotonic = 0;
  asked = [];
  solved = 0;
  const placements = new Map(
    admitted.map((index) => {
      const { bidId: _, price: __, ...placement } = bidOf(index, 1);
      const evidence = index === 0 ? { positive: 0, negative: 4 } : { positive: 12, negative: 0 };
      return [placement.providerId, { ...placement, evidence, underBond: false } satisfies MarketPlacement];
    }),
  );
  const solver: Pick<Solver, 'award'> = {
    award: async (input) => {
      solved += 1;
      return award(input);
    },
  };
  return createAuctionActivities({
    market: { placementsOf: async () => placements },
    sealing: {
      openAll: async (_, boxes) => {
        opened += boxes.length;
        return boxes.map(({ box }) => JSON.stringify({ price: box }));
      },
    },
    solver,
    askRoom: async (providerId) => {
      asked.push(providerId);
      return roomOf(Number(providerId.slice('provider-'.length)));
    },
    now: () => NOW,
    monotonicMs: () => monotonic,
    pause: async (ms) => void (monotonic += ms),
  });
};

const extended: AuctionEvent = {
  type: 'auction.extended',
  extendedAt: NOW,
  closesAt: '2026-01-01T00:00:20.500Z',
  owners: 3,
};

test('bids that the trust gate thins below the minimum extend the auction, and no price is opened', async () => {
  const { 'auction.openBids': openBids } = activitiesWith([0, 1, 2]);
  const { context: auction } = closed();
  expect(await openBids({ auction, mayExtend: true })).toEqual([extended]);
  expect(opened).toBe(0);
});

test('one extended before, or of machine version 1, is judged as it is', async () => {
  const { 'auction.openBids': openBids } = activitiesWith([0, 1, 2]);
  for (const input of [
    { auction: closed(extended).context, mayExtend: false },
    { auction: closed().context },
  ]) {
    expect(await openBids(input)).toMatchObject([
      { type: 'auction.bids-opened', refused: [{ bidId: 'bid-3' }, { bidId: 'bid-4' }] },
      { type: 'auction.failed', reason: 'AUCTION_NOT_ENOUGH_BIDS' },
    ]);
  }
});

test('risk is priced by the evidence that is logged beside it, where the auction’s rule says so', async () => {
  const { 'auction.openBids': openBids } = activitiesWith([0, 1, 2, 3, 4]);
  const winnersOf = (events: readonly AuctionEvent[]) =>
    events.flatMap((event) =>
      event.type === 'auction.awarded' ? event.winners.map(({ bidId }) => bidId) : [],
    );
  const { context: auction } = closedUnder('risk-priced');
  const [opening, awarded] = await openBids({ auction, mayExtend: true });
  if (opening?.type !== 'auction.bids-opened' || awarded?.type !== 'auction.awarded') throw new Error();
  expect(opening.risks?.[0]).toEqual({ bidId: 'bid-0', positive: 0, negative: 4 });
  const again = surchargesOf(
    opening.bids.map(({ owner }, index) => ({ owner, evidence: opening.risks?.[index] as BidRisk })),
    { ceiling: auction.ceiling, winners: auction.winners, seed: auction.seed },
  );
  expect(opening.bids.map(({ surcharge }) => surcharge)).toEqual(again);
  expect(again.map(Number)).toEqual([expect.any(Number), 0, 0, 0, 0]);
  expect(Number(again[0])).toBeGreaterThan(1000);
  // The cheapest bid, of 100, has lost four runs; the others cost 101 to 104.
  expect(winnersOf([awarded])).toEqual(['bid-1', 'bid-2', 'bid-3']);
  const byPrice = await openBids({ auction: closed().context, mayExtend: true });
  expect(winnersOf(byPrice)).toEqual(['bid-0', 'bid-1', 'bid-2']);
  expect(JSON.stringify(byPrice)).not.toMatch(/surcharge|risks/);
});

test('enough owners admitted are awarded', async () => {
  const { 'auction.openBids': openBids } = activitiesWith([0, 1, 2, 3]);
  expect(await openBids({ auction: closed().context, mayExtend: true })).toMatchObject([
    { type: 'auction.bids-opened', refused: [{ bidId: 'bid-4' }] },
    { type: 'auction.awarded', method: 'exact' },
  ]);
});

describe('settled 41: a bid holds nothing, so who is about to win is asked for room', () => {
  const all = [0, 1, 2, 3, 4];
  const wonBy = (events: readonly AuctionEvent[]): string[] =>
    events.flatMap((event) =>
      event.type === 'auction.awarded' ? event.winners.map(({ providerId }) => providerId) : [],
    );

  test('and nobody else, where all have it', async () => {
    const { 'auction.openBids': openBids } = activitiesWith(all);
    const won = wonBy(await openBids({ auction: closed().context, mayExtend: true }));
    expect(won).toHaveLength(3);
    expect(asked.sort()).toEqual(won.sort());
    expect(solved).toBe(1);
  });

  test('who has none is left out, with its reason, and the next one wins', async () => {
    const { 'auction.openBids': openBids } = activitiesWith(all, [1]);
    const events = await openBids({ auction: closed().context, mayExtend: true });
    expect(wonBy(events)).not.toContain('provider-1');
    expect(events).toMatchObject([
      { refused: [{ bidId: 'bid-1', state: 'rejected', reason: 'its node had no room left at the close' }] },
      { type: 'auction.awarded' },
    ]);
    expect(new Set(asked).size).toBe(asked.length);
  });

  test('an auction that too few have room for is extended once, and then fails', async () => {
    const { 'auction.openBids': openBids } = activitiesWith(all, [0, 1]);
    expect(await openBids({ auction: closed().context, mayExtend: true })).toEqual([extended]);
    expect(await openBids({ auction: closed(extended).context, mayExtend: false })).toMatchObject([
      { type: 'auction.bids-opened', refused: [{ bidId: 'bid-0' }, { bidId: 'bid-1' }] },
      { type: 'auction.failed' },
    ]);
  });

  test('settled 40: who does not say so, or cannot be asked, is not bound to what its node never promised', async () => {
    const silence: Record<number, Room> = { 0: 'silent', 1: 'away' };
    const { 'auction.openBids': openBids } = activitiesWith(all, [], (index) => silence[index] ?? 'held');
    const wanted = { ...closed(extended).context, tier: 'silver', winners: 2, requiredUp: 1 } as const;
    const events = await openBids({ auction: wanted, mayExtend: false });
    expect(wonBy(events)).toHaveLength(2);
    expect(events).toMatchObject([
      {
        refused: [
          { bidId: 'bid-0', reason: 'its node did not say at the close whether it had room' },
          { bidId: 'bid-1', reason: 'its node could not be asked at the close whether it had room' },
        ],
      },
      { type: 'auction.awarded' },
    ]);
    expect(monotonic).toBe(0);
  });

  test('where too few are left for want of a way to nodes, these are waited for', async () => {
    const back = (ms: number) => (): Room => (monotonic >= ms ? 'held' : 'away');
    const later = activitiesWith(all, [], back(8_000))['auction.openBids'];
    expect(wonBy(await later({ auction: closed(extended).context, mayExtend: false }))).toHaveLength(3);
    expect(monotonic).toBe(8_000);
    const never = activitiesWith(all, [], back(Number.POSITIVE_INFINITY))['auction.openBids'];
    expect(await never({ auction: closed(extended).context, mayExtend: false })).toMatchObject([
      { type: 'auction.bids-opened' },
      { type: 'auction.failed' },
    ]);
    expect(monotonic).toBe(10_000);
    // An extension is wait enough.
    const first = activitiesWith(all, [], back(8_000))['auction.openBids'];
    expect(await first({ auction: closed().context, mayExtend: true })).toMatchObject([
      { type: 'auction.extended' },
    ]);
    expect(monotonic).toBe(0);
  });

  test('a room is asked for with what stands for the bid', async () => {
    const bonded = new Map(
      [0, 1, 2, 3].map((index) => {
        const { bidId: _, price: __, ...placement } = bidOf(index, 1);
        const evidence = { positive: 0, negative: 0 };
        return [
          placement.providerId,
          { ...placement, evidence, underBond: index === 1 } satisfies MarketPlacement,
        ];
      }),
    );
    const questions: [string, boolean][] = [];
    const { 'auction.openBids': openBids } = createAuctionActivities({
      market: { placementsOf: async () => bonded },
      sealing: { openAll: async (_, boxes) => boxes.map(({ box }) => JSON.stringify({ price: box })) },
      solver: { award: async (input) => award(input) },
      askRoom: async (providerId, _, underBond) => {
        questions.push([providerId, underBond]);
        return 'held';
      },
      now: () => NOW,
    });
    await openBids({ auction: closed().context });
    expect(questions).toContainEqual(['provider-0', false]);
    expect(questions).toContainEqual(['provider-1', true]);
  });

  test('however many say no, each is asked once and the rounds are few', async () => {
    const bids = Array.from({ length: 60 }, (_, index) => index);
    const market = new Map(
      bids.map((index) => {
        const { bidId: _, price: __, ...placement } = bidOf(index, 1);
        const evidence = { positive: 12, negative: 0 };
        return [placement.providerId, { ...placement, evidence, underBond: false } satisfies MarketPlacement];
      }),
    );
    let searches = 0;
    const questions: string[] = [];
    const { 'auction.openBids': openBids } = createAuctionActivities({
      market: { placementsOf: async () => market },
      sealing: { openAll: async (_, boxes) => boxes.map(({ box }) => JSON.stringify({ price: box })) },
      solver: {
        award: async (input) => {
          searches++;
          return award(input);
        },
      },
      askRoom: async (providerId) => {
        questions.push(providerId);
        return Number(providerId.slice('provider-'.length)) >= 50 ? 'held' : 'full';
      },
      now: () => NOW,
    });
    const auction = {
      ...closed().context,
      bids: bids.map((index) => ({
        bidId: `bid-${index}`,
        providerId: `provider-${index}`,
        owner: `owner-${index}`,
        sealed: `${100 + index}`,
        deposit: toMicro('1000'),
        placedAt: OPENED_AT,
      })),
    };
    expect(wonBy(await openBids({ auction, mayExtend: false }))).toHaveLength(3);
    expect(questions).toHaveLength(60);
    expect(new Set(questions).size).toBe(60);
    expect(searches).toBeLessThanOrEqual(5);
  });
});
