import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createMemoryEventStore } from '../../infra/event-store/memory/store.ts';
import { plots, tell } from '../../test/support/stories.ts';
import { auctions } from './projection.ts';
import { bidStats } from './queries.ts';

it('an open auction shows the same row whatever was bid', async () => {
  await fc.assert(
    fc.asyncProperty(plots({ min: 1, max: 3 }), async (plot) => {
      const store = createMemoryEventStore();
      await tell(store, plot);
      const events = await store.readAll({ after: 0n, limit: 100_000, types: auctions.handles });
      await store.close();
      expect(events.some(({ type }) => type === 'auction.bid-placed')).toBe(false);
      for (const row of auctions.fold(events, new Map())) {
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
