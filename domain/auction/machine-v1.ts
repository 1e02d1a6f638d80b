import { assign, cancel, raise, setup } from 'xstate';
import { type DeadlineRaised, effect } from '../lifecycle.ts';
import { msBetween } from '../time.ts';
import { type Auction, awarded, blank, failed, opened, sealedBidOf } from './auction.ts';
import type { AuctionEvent } from './events.ts';

/**
 * Version 1, which streams of that version keep: only too few bids extend it, not bids that the trust gate refuses.
 *
 * A sealed reverse auction: open until a logged deadline, extended at most once, awarded or failed with everything
 * refunded.
 */
export const auctionMachineV1 = setup({
  types: { context: {} as Auction, events: {} as AuctionEvent | DeadlineRaised },
  actors: { openBids: effect<{ auction: Auction }>() },
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
        input: ({ context }) => ({ auction: context }),
      },
      on: {
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
