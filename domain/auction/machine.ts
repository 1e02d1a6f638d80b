import { assign, cancel, raise, setup } from 'xstate';
import type { ErrorCode } from '../errors.ts';
import { type DeadlineRaised, effect } from '../lifecycle.ts';
import { type Micro, ZERO } from '../money.ts';
import type { TierName } from '../tiers.ts';
import { msBetween } from '../time.ts';
import type {
  AuctionAwarded,
  AuctionEvent,
  AuctionFailed,
  AuctionOpened,
  BidPlaced,
  BidVerdict,
  OpenedBid,
  Winner,
} from './events.ts';

export const AUCTION_VERSION = 1;

/** A bid before the close: owner and deposit, the price under seal. */
export type SealedBid = Omit<BidPlaced, 'type'>;

export interface Auction {
  readonly auctionId: string;
  readonly submitter: string;
  readonly jobId: string | null;
  readonly tier: TierName;
  readonly requiredTops: number;
  readonly utilization: number;
  readonly durationSeconds: number;
  /** TOPS of one H200, as quoted (D1); the default where it is not told. */
  readonly tRef?: number;
  readonly winners: number;
  readonly minimumOwners: number;
  readonly ceiling: Micro;
  readonly seed: string;
  readonly auctionSeconds: number;
  /** Start of the running term: opening or extension. */
  readonly since: string;
  readonly closesAt: string;
  readonly extended: boolean;
  readonly bids: readonly SealedBid[];
  readonly opened: readonly OpenedBid[];
  readonly refused: readonly BidVerdict[];
  readonly awarded: readonly Winner[];
  readonly verdicts: readonly BidVerdict[];
  readonly closedAt: string | null;
  readonly allocateBy: string | null;
  readonly failure: { readonly reason: ErrorCode; readonly message: string } | null;
}

const blank: Auction = {
  auctionId: '',
  submitter: '',
  jobId: null,
  tier: 'bronze',
  requiredTops: 0,
  utilization: 0,
  durationSeconds: 0,
  winners: 0,
  minimumOwners: 0,
  ceiling: ZERO,
  seed: '',
  auctionSeconds: 0,
  since: '',
  closesAt: '',
  extended: false,
  bids: [],
  opened: [],
  refused: [],
  awarded: [],
  verdicts: [],
  closedAt: null,
  allocateBy: null,
  failure: null,
};

const opened = (event: AuctionOpened): Auction => ({
  ...blank,
  auctionId: event.auctionId,
  submitter: event.submitter,
  jobId: event.jobId,
  tier: event.tier,
  requiredTops: event.requiredTops,
  utilization: event.utilization,
  durationSeconds: event.durationSeconds,
  ...(event.tRef === undefined ? {} : { tRef: event.tRef }),
  winners: event.winners,
  minimumOwners: event.minimumOwners,
  ceiling: event.ceiling,
  seed: event.seed,
  auctionSeconds: event.auctionSeconds,
  since: event.openedAt,
  closesAt: event.closesAt,
});

const sealedBidOf = ({ type: _, ...bid }: BidPlaced): SealedBid => bid;

const failed = (event: AuctionFailed): Partial<Auction> => ({
  failure: { reason: event.reason, message: event.message },
  verdicts: event.verdicts,
});

const awarded = (event: AuctionAwarded): Partial<Auction> => ({
  awarded: event.winners,
  verdicts: event.verdicts,
  allocateBy: event.allocateBy,
});

/** A sealed reverse auction: open until a logged deadline, extended at most once, awarded or failed with everything refunded. */
export const auctionMachine = setup({
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
