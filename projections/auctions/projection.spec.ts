import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createMemoryEventStore } from '../../infra/event-store/memory/store.ts';
import { plots, tell } from '../../test/support/stories.ts';
import { auctions } from './projection.ts';
import { bidStats } from './queries.ts';

it('settled 36: an open auction shows how many bid and when, not who and for how much', async () => {
  await fc.assert(
    fc.asyncProperty(plots({ min: 1, max: 3 }), async (plot) => {
      const store = createMemoryEventStore();
      await tell(store, plot);
      const events = await store.readAll({ after: 0n, limit: 100_000, types: auctions.handles });
      await store.close();
      for (const row of auctions.fold(events, new Map())) {
        const placed = events.filter(
          ({ type, stream }) => type === 'auction.bid-placed' && stream === row.auctionId,
        );
        const times = placed.map(({ data }) => data['placedAt']);
        expect(row).toMatchObject({
          bidsPlaced: placed.length,
          firstBidAt: times[0] ?? null,
          lastBidAt: times.at(-1) ?? null,
        });
        if (row.state !== 'open') continue;
        expect(row.bids).toBeNull();
        expect(JSON.stringify(row)).not.toMatch(/bid-|provider-|box-/);
      }
    }),
    { numRuns: 60 },
  );
});

it('figures come from opened bids alone', () => {
  const bid = (owner: string | null, price: string | null) =>
    ({ bidId: 'b', providerId: null, owner, price, state: 'lost', reason: null }) as never;
  expect(bidStats({ bids: null })).toBeNull();
  expect(bidStats({ bids: [bid(null, null)] })).toBeNull();
  expect(bidStats({ bids: [bid('a', '9'), bid('b', '4'), bid('b', '6'), bid(null, null)] })).toEqual({
    count: 3,
    unique: 2,
    min: '4',
    max: '9',
    mean: '6',
  });
});
