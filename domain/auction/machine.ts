import { assign, cancel, raise, setup } from 'xstate';
import { type DeadlineRaised, effect } from '../lifecycle.ts';
import { msBetween } from '../time.ts';
import { type Auction, awarded, blank, failed, opened, sealedBidOf } from './auction.ts';
import type { AuctionEvent } from './events.ts';

/** Version 4 is the machine of version 3 under one more rule: an award that waits to be taken is paid for by the second. */
export const AUCTION_VERSION = 4;

/**
 * A sealed reverse auction: open until a logged deadline, extended at most once, awarded or failed with everything
 * refunded. Too few owners extend it, counted at the deadline by their bids, and before any price is opened by those
 * whom the trust gate still admits. Since version 3 bids are compared by price and risk; version 2, of the same states, by
 * price alone.
 */
export const auctionMachine = setup({
  types: { context: {} as Auction, events: {} as AuctionEvent | DeadlineRaised },
  actors: { openBids: effect<{ auction: Auction; mayExtend: boolean }>() },
  guards: {
    /** Once, and never when prices are known. */
    mayExtend: ({ context }) => !context.extended && context.opened.length + context.refused.length === 0,
  },
  delays: {
    untilClose: ({ context }) => msBetween(context.since, context.closesAt),
    untilLapse: ({ context }) =>
      msBetween(context.closedAt ?? context.closesAt, context.allocateBy ?? context.closesAt),
  },
}).createMachine({
  id: 'auction',
  initial: 'new',
  context: blank,
  states: {
    new: { on: { 'auction.opened': { target: 'open', actions: assign(({ event }) => opened(event)) } } },
    open: {
      tags: ['report'],
      entry: raise({ type: 'deadline', id: 'close' }, { id: 'close', delay: 'untilClose' }),
      exit: cancel('close'),
      on: {
        'auction.bid-placed': {
          actions: assign({ bids: ({ context, event }) => [...context.bids, sealedBidOf(event)] }),
        },
        'auction.extended': {
          target: 'open',
          reenter: true,
          actions: assign(({ event }) => ({
            since: event.extendedAt,
            closesAt: event.closesAt,
            extended: true,
          })),
        },
        'auction.closed': {
          target: 'opening',
          actions: assign(({ event }) => ({ closedAt: event.closedAt })),
        },
        'auction.failed': { target: 'failed', actions: assign(({ event }) => failed(event)) },
      },
    },
    opening: {
      invoke: {
        id: 'openBids',
        src: 'openBids',
        input: ({ context }) => ({ auction: context, mayExtend: !context.extended }),
      },
      on: {
        'auction.extended': {
          guard: 'mayExtend',
          target: 'open',
          actions: assign(({ event }) => ({
            since: event.extendedAt,
            closesAt: event.closesAt,
            extended: true,
            closedAt: null,
          })),
        },
        'auction.bids-opened': {
          actions: assign(({ event }) => ({ opened: event.bids, refused: event.refused })),
        },
        'auction.awarded': [
          {
            guard: ({ event }) => event.allocateBy === null,
            target: 'allocated',
            actions: assign(({ event }) => awarded(event)),
          },
          { target: 'awarded', actions: assign(({ event }) => awarded(event)) },
        ],
        'auction.failed': { target: 'failed', actions: assign(({ event }) => failed(event)) },
      },
    },
    awarded: {
      entry: raise({ type: 'deadline', id: 'allocation' }, { id: 'allocation', delay: 'untilLapse' }),
      exit: cancel('allocation'),
      on: {
        'auction.allocated': {
          target: 'allocated',
          actions: assign(({ event }) => ({ jobId: event.jobId })),
        },
        'auction.lapsed': 'lapsed',
      },
    },
    allocated: { type: 'final', tags: ['report'] },
    lapsed: { type: 'final' },
    failed: { type: 'final', tags: ['report'] },
  },
});
