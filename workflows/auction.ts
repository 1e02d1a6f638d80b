import type { Auction } from '../domain/auction/auction.ts';
import { reserveOf } from '../domain/auction/decide.ts';
import type { AuctionFailed, OpenedBid, Winner } from '../domain/auction/events.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { runLifecycle } from './host.ts';
import { type LifecycleInput, lifecycleOf, type Policies } from './lifecycle.ts';

/** What the job is told: when its auction closes, what it bought, or why it bought nothing. */
export interface AuctionReport {
  readonly closesAt: string;
  readonly awarded: readonly Winner[];
  readonly reserve: readonly OpenedBid[];
  readonly seed: string;
  readonly failure: { readonly reason: ErrorCode; readonly message: string } | null;
}

const policies: Policies = {
  effects: {
    openBids: {
      kind: 'activity',
      local: true,
      options: {
        startToCloseTimeout: '30 seconds',
        retry: { initialInterval: '200 milliseconds', maximumInterval: '5 seconds' },
      },
      failed: ({ auction }: { readonly auction: Auction }, message): AuctionFailed[] => [
        {
          type: 'auction.failed',
          reason: 'INTERNAL_ERROR',
          message: `the bids cannot be opened: ${message}`,
          verdicts: auction.bids.map(({ bidId }) => ({
            bidId,
            state: 'expired',
            reason: 'the bids cannot be opened',
          })),
        },
      ],
    },
  },
  report: (auction: Auction): AuctionReport => ({
    closesAt: auction.closesAt,
    awarded: auction.awarded,
    reserve: reserveOf(auction),
    seed: auction.seed,
    failure: auction.failure,
  }),
};

export const auctionLifecycle = lifecycleOf('auction', {
  1: policies,
  2: policies,
  3: policies,
  4: policies,
});

/** A sealed reverse auction. */
export const auction = (input: LifecycleInput) => runLifecycle(auctionLifecycle, input);
