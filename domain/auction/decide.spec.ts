import { describe, expect, test } from 'vitest';
import { machineDecider, specify } from '../../test/support/decider.ts';
import { toMicro } from '../money.ts';
import { MAX_BIDS, TIERS } from '../tiers.ts';
import { addMs, addSeconds } from '../time.ts';
import type { AllocateAuction, OpenAuction, PlaceBid } from './commands.ts';
import { decide, decideV1, decideV2, decideV3, distinctOwners, reserveOf } from './decide.ts';
import type { AuctionAwarded, AuctionEvent, AuctionOpened, BidPlaced, BidsOpened } from './events.ts';
import { auctionMachine } from './machine.ts';
import { auctionMachineV1 } from './machine-v1.ts';
import { bidOf } from './market.fixture.ts';

const { given } = specify(machineDecider(auctionMachine, decide));

const OPENED_AT = '2026-01-01T00:00:00.000Z';
const CLOSES_AT = '2026-01-01T00:05:00.000Z';
const SUBMITTER = 'subject-submitter';

const open: OpenAuction = {
  type: 'open',
  auctionId: 'auction-1',
  submitter: SUBMITTER,
  jobId: null,
  quoteId: 'quote-1',
  tier: 'gold',
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  ceiling: toMicro('1000'),
  auctionSeconds: 300,
  seed: '00',
};
const { type: _, ...terms } = open;

const opened: AuctionOpened = {
  type: 'auction.opened',
  machineVersion: 4,
  ...terms,
  winners: 3,
  requiredUp: 2,
  minimumOwners: 4,
  openingFee: toMicro('30'),
  // 1,000 TOPS by the list for an hour, and for 120 s of it.
  reservation: { hourly: toMicro('1111111'), held: toMicro('37038') },
  rule: 'risk-priced',
  openedAt: OPENED_AT,
  closesAt: CLOSES_AT,
};

const placeBid = (index: number): PlaceBid => ({
  type: 'place-bid',
  bidId: `bid-${index}`,
  providerId: `provider-${index}`,
  owner: `owner-${index}`,
  sealed: 'box',
});

const placed = (index: number, placedAt = OPENED_AT): BidPlaced => ({
  ...placeBid(index),
  type: 'auction.bid-placed',
  deposit: toMicro('1000'),
  placedAt,
});

const bids = (count: number): BidPlaced[] => Array.from({ length: count }, (_, index) => placed(index));

const extended: AuctionEvent = {
  type: 'auction.extended',
  extendedAt: CLOSES_AT,
  closesAt: addSeconds(CLOSES_AT, 60),
  owners: 1,
};
const closed: AuctionEvent = { type: 'auction.closed', closedAt: CLOSES_AT };
const bidsOpened: BidsOpened = {
  type: 'auction.bids-opened',
  bids: [0, 1, 2, 3].map((index) => bidOf(index, 100 + index)),
  refused: [{ bidId: 'bid-4', state: 'rejected', reason: 'unreadable' }],
};
const awarded: AuctionAwarded = {
  type: 'auction.awarded',
  winners: [0, 1, 2].map((index) => ({ ...bidOf(index, 100 + index), payment: toMicro('103') })),
  verdicts: [],
  total: toMicro('309'),
  predictedAvailability: 0.9999,
  method: 'exact',
  allocateBy: addSeconds(CLOSES_AT, 120),
};
const failed: AuctionEvent = {
  type: 'auction.failed',
  reason: 'QUORUM_NOT_ACHIEVED',
  message: 'no set of bids meets gold',
  verdicts: [],
};

const deadline = (id: string) => ({ type: 'deadline', id, dueAt: CLOSES_AT }) as const;

describe('opening', () => {
  test('fixes rule, ceiling and seed in the first event', () => {
    given().when(open, { now: OPENED_AT }).then(opened);
  });

  test.each(Object.values(TIERS))('$name: asks for as many owners as the tier says', (tier) => {
    const state = given()
      .when({ ...open, tier: tier.name }, { now: OPENED_AT })
      .thenState();
    expect(state.context).toMatchObject({ winners: tier.winners, minimumOwners: tier.minimumOwners });
    expect(tier.minimumOwners).toBe(Math.max(3, tier.winners + 1));
  });

  test('R65: lasts the 300 s of the guide or what the submitter says, settled 41: from a second to an hour', () => {
    const at = (auctionSeconds: number) => given().when({ ...open, auctionSeconds }, { now: OPENED_AT });
    expect(at(1).thenState().context.closesAt).toBe('2026-01-01T00:00:01.000Z');
    expect(at(3600).thenState().context.closesAt).toBe('2026-01-01T01:00:00.000Z');
    const rule = [{ field: 'auction_seconds', rule: 'an integer from 1 to 3600' }];
    for (const wrong of [0, 3601, 1.5, Number.NaN]) at(wrong).thenRejects('INVALID_REQUEST', /length/, rule);
  });

  test('settled 41: costs something, so no ceiling is below 100 micro-units per winner', () => {
    const at = (ceiling: string) => given().when({ ...open, ceiling: toMicro(ceiling) }, { now: OPENED_AT });
    at('100').then({ ...opened, ceiling: toMicro('100'), openingFee: toMicro('3') });
    const rule = [{ field: 'ceiling', rule: 'at least 100 micro-units per winner' }];
    for (const wrong of ['99', '0']) at(wrong).thenRejects('INVALID_REQUEST', /ceiling/, rule);
  });

  test('is judged and paid with its job where it has one', () => {
    const { openingFee: _, reservation: __, ...unpaid } = opened;
    const ofJob = { ...open, jobId: 'job-1', ceiling: toMicro('1'), auctionSeconds: 86_400 };
    given()
      .when(ofJob, { now: OPENED_AT })
      .then({
        ...unpaid,
        jobId: 'job-1',
        ceiling: toMicro('1'),
        auctionSeconds: 86_400,
        closesAt: addSeconds(OPENED_AT, 86_400),
      });
  });

  test('streams of version 1 keep their bounds, and cost nothing', () => {
    const begun = specify(machineDecider(auctionMachineV1, decideV1)).given();
    const { openingFee: _, reservation: __, ...free } = opened;
    begun
      .when({ ...open, ceiling: toMicro('0') }, { now: OPENED_AT })
      .then({ ...free, machineVersion: 1, rule: 'critical-value', ceiling: toMicro('0') });
    expect(
      begun.when({ ...open, auctionSeconds: 86_400 }, { now: OPENED_AT }).thenState().context.closesAt,
    ).toBe('2026-01-02T00:00:00.000Z');
  });

  test('happens once', () => {
    given(opened)
      .when(open, { now: OPENED_AT })
      .thenRejects('CONFLICT', /already/);
  });
});

describe('bidding', () => {
  test('takes a sealed bid and asks the ceiling as its deposit', () => {
    const now = addSeconds(OPENED_AT, 1);
    given(opened).when(placeBid(1), { now }).then(placed(1, now));
  });

  test('R65: a bid one millisecond before the close is valid, one at the close is late', () => {
    given(opened)
      .when(placeBid(1), { now: addMs(CLOSES_AT, -1) })
      .then(placed(1, addMs(CLOSES_AT, -1)));
    given(opened)
      .when(placeBid(1), { now: CLOSES_AT })
      .thenRejects('AUCTION_EXPIRED', /closed at/);
  });

  test('R65: the logged close decides, whatever the clock says', () => {
    given(opened, ...bids(4), closed)
      .when(placeBid(5), { now: OPENED_AT })
      .thenRejects('AUCTION_EXPIRED');
  });

  test('goes on until the end of the extension', () => {
    const end = addSeconds(CLOSES_AT, 60);
    given(opened, extended)
      .when(placeBid(1), { now: addMs(end, -1) })
      .then(placed(1, addMs(end, -1)));
    given(opened, extended).when(placeBid(1), { now: end }).thenRejects('AUCTION_EXPIRED');
  });

  test('refuses a second bid of an owner, also by another provider', () => {
    const second = { ...placeBid(2), owner: 'owner-1' };
    given(opened, placed(1))
      .when(second, { now: OPENED_AT })
      .thenRejects('CONFLICT', /bid already/);
  });

  test('refuses the submitter itself', () => {
    const own = { ...placeBid(1), owner: SUBMITTER };
    given(opened).when(own, { now: OPENED_AT }).thenRejects('AUTHORIZATION_FAILED');
  });

  test(`takes ${MAX_BIDS} bids and not one more`, () => {
    given(opened, ...bids(100))
      .when(placeBid(100), { now: OPENED_AT })
      .then(placed(100));
    given(opened, ...bids(MAX_BIDS - 1))
      .when(placeBid(MAX_BIDS - 1), { now: OPENED_AT })
      .then(placed(MAX_BIDS - 1));
    given(opened, ...bids(MAX_BIDS))
      .when(placeBid(MAX_BIDS), { now: OPENED_AT })
      .thenRejects('CONFLICT', /1000 bids/);
  });

  test('needs an auction', () => {
    given().when(placeBid(1), { now: OPENED_AT }).thenRejects('RESOURCE_NOT_FOUND');
  });
});

describe('the close', () => {
  test('R66: enough owners close it; fewer extend it once; still fewer fail it and every bid expires', () => {
    given(opened, ...bids(4))
      .when(deadline('close'), { now: CLOSES_AT })
      .then(closed);
    given(opened, ...bids(3))
      .when(deadline('close'), { now: CLOSES_AT })
      .then({ ...extended, owners: 3 });
    const end = addSeconds(CLOSES_AT, 60);
    given(opened, placed(1), extended, placed(2))
      .when(deadline('close'), { now: end })
      .then({
        type: 'auction.failed',
        reason: 'AUCTION_NOT_ENOUGH_BIDS',
        message: 'bids of distinct owners: have 2, need 4',
        verdicts: ['bid-1', 'bid-2'].map((bidId) => ({ bidId, state: 'expired', reason: 'too few bids' })),
      });
  });

  test('R66: an extension that brought enough owners closes', () => {
    const end = addSeconds(CLOSES_AT, 60);
    given(opened, extended, ...bids(4))
      .when(deadline('close'), { now: end })
      .then({ ...closed, closedAt: end });
  });

  test('counts owners, not bids', () => {
    expect(distinctOwners([{ owner: 'a' }, { owner: 'a' }, { owner: 'b' }])).toBe(2);
  });

  test('R66: bids that the gate thins extend it once, after the close and before any price is opened', () => {
    const reopened = [opened, ...bids(4), closed, { ...extended, owners: 3 }];
    const { value, context } = given(...reopened).state;
    expect(value).toBe('open');
    expect(context).toMatchObject({ extended: true, closedAt: null, since: CLOSES_AT });
    expect(context.closesAt).toBe(addSeconds(CLOSES_AT, 60));
    given(...reopened)
      .when(placeBid(4), { now: CLOSES_AT })
      .then(placed(4, CLOSES_AT));
    const end = addSeconds(CLOSES_AT, 60);
    given(...reopened)
      .when(deadline('close'), { now: end })
      .then({ ...closed, closedAt: end });
    const again = given(...reopened, { ...closed, closedAt: end }).state;
    expect(again.can(extended)).toBe(false);
    const prices = given(opened, ...bids(4), closed, bidsOpened).state;
    expect(prices.can(extended)).toBe(false);
  });

  test('a stream of version 1 keeps its rules', () => {
    const { given: givenV1 } = specify(machineDecider(auctionMachineV1, decideV1));
    const { openingFee: _, reservation: __, ...free } = opened;
    const first = { ...free, machineVersion: 1, rule: 'critical-value' } as const;
    givenV1().when(open, { now: OPENED_AT }).then(first);
    const { state } = givenV1(first, ...bids(4), closed);
    expect(state.can(extended)).toBe(false);
    expect(state.can(bidsOpened)).toBe(true);
  });

  test('a stream of version 2 compares its bids by price alone', () => {
    const { given: givenV2 } = specify(machineDecider(auctionMachine, decideV2));
    const { reservation: _, ...free } = opened;
    const first = { ...free, machineVersion: 2, rule: 'critical-value' } as const;
    givenV2().when(open, { now: OPENED_AT }).then(first);
    expect(givenV2(first).state.context.rule).toBeUndefined();
    expect(given(opened).state.context.rule).toBe('risk-priced');
  });

  test('happens in an open auction only', () => {
    given(opened, ...bids(4), closed)
      .when(deadline('close'), { now: CLOSES_AT })
      .thenRejects('CONFLICT');
  });
});

describe('the award', () => {
  const history = [opened, ...bids(5), closed, bidsOpened];
  const allocate: AllocateAuction = { type: 'allocate', jobId: 'job-1' };

  test('is taken by a job of the submitter', () => {
    given(...history, awarded)
      .when(allocate, { actor: SUBMITTER, now: CLOSES_AT })
      .then({ type: 'auction.allocated', jobId: 'job-1', allocatedAt: CLOSES_AT });
  });

  test('settled 41: is paid for until it is taken, by the TOPS that it books; in streams of version 3 it is not', () => {
    const at = (requiredTops: number) =>
      given()
        .when({ ...open, requiredTops }, { now: OPENED_AT })
        .thenState().context.reservation;
    expect(at(1)).toEqual(opened.reservation);
    expect(at(9000)).toEqual({ hourly: '10000000', held: '333334' });
    const version3 = specify(machineDecider(auctionMachine, decideV3));
    const { reservation: _, ...free } = opened;
    const first = { ...free, machineVersion: 3 };
    version3.given().when(open, { now: OPENED_AT }).then(first);
    version3
      .given(first, ...history.slice(1), awarded)
      .when(allocate, { actor: SUBMITTER, now: CLOSES_AT })
      .then({ type: 'auction.allocated', jobId: 'job-1' });
  });

  test('is nobody else’s', () => {
    given(...history, awarded)
      .when(allocate, { actor: 'subject-2' })
      .thenRejects('AUTHORIZATION_FAILED');
  });

  test('is not there before the close, after a failure, or twice', () => {
    const when = (...events: AuctionEvent[]) => given(...events).when(allocate, { actor: SUBMITTER });
    when(opened).thenRejects('CONFLICT', /open, not awarded/);
    when(opened, ...bids(5), closed, failed).thenRejects('QUORUM_NOT_ACHIEVED', /no set of bids/);
    when(...history, awarded, { type: 'auction.allocated', jobId: 'job-2' }).thenRejects('CONFLICT');
  });

  test('lapses when nobody takes it in time', () => {
    const now = addSeconds(CLOSES_AT, 120);
    given(...history, awarded)
      .when(deadline('allocation'), { now })
      .then({ type: 'auction.lapsed', lapsedAt: now });
    given(...history, awarded, { type: 'auction.allocated', jobId: 'job-1' })
      .when(deadline('allocation'), { now })
      .thenRejects('CONFLICT', /taken/);
  });

  test('of a job goes to it at once', () => {
    const { state } = given({ ...opened, jobId: 'job-1' }, ...bids(5), closed, bidsOpened, {
      ...awarded,
      allocateBy: null,
    });
    expect(state.value).toBe('allocated');
  });

  test('leaves the opened bids that neither won nor were refused in reserve', () => {
    const { state } = given(...history, awarded);
    expect(reserveOf(state.context).map(({ bidId }) => bidId)).toEqual(['bid-3']);
  });
});

describe('cancelling', () => {
  const cancel = { type: 'cancel', reason: 'its job failed' } as const;
  const verdicts = [{ bidId: 'bid-0', state: 'expired', reason: 'its job failed' }] as const;
  const cancelled: AuctionEvent = {
    type: 'auction.failed',
    reason: 'CONFLICT',
    message: 'its job failed',
    verdicts,
  };

  test('ends an auction before its award, and every bid with it', () => {
    given(opened, placed(0)).when(cancel).then(cancelled);
    given(opened, placed(0), closed).when(cancel).then(cancelled);
  });

  test('is too late after the award, and not for people', () => {
    given(opened, ...bids(5), closed, bidsOpened, { ...awarded, allocateBy: null })
      .when(cancel)
      .thenRejects('CONFLICT', /allocated/);
    given(opened).when(cancel, { actor: SUBMITTER }).thenRejects('AUTHORIZATION_FAILED');
  });
});
