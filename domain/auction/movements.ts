import { type LedgerEntry, openingFee, transfer } from '../ledger/entry.ts';
import { account } from '../ledger/events.ts';
import { multiply } from '../money.ts';
import type { Auction, SealedBid } from './auction.ts';
import type { AuctionEvent } from './events.ts';

const depositBack = (bid: SealedBid, cause: string): LedgerEntry =>
  transfer(
    'release',
    account.deposit(bid.bidId),
    account.available(bid.owner),
    bid.deposit,
    cause,
    `deposit/${bid.bidId}`,
  );

const escrowBack = (auction: Auction, cause: string): LedgerEntry[] =>
  auction.jobId === null
    ? [
        transfer(
          'release',
          account.escrow(auction.auctionId),
          account.available(auction.submitter),
          multiply(auction.ceiling, auction.winners),
          cause,
          'escrow',
        ),
      ]
    : [];

/**
 * Money that follows an auction's events. An auction of a job moves deposits only: the job holds and returns the escrow.
 * A winner's deposit stays until its job settles or the award lapses; every other one goes back at the close.
 */
export const movements = (auction: Auction, event: AuctionEvent, cause: string): LedgerEntry[] => {
  switch (event.type) {
    case 'auction.opened':
      return event.jobId === null
        ? [
            transfer(
              'hold',
              account.available(event.submitter),
              account.escrow(event.auctionId),
              multiply(event.ceiling, event.winners),
              cause,
            ),
            ...openingFee(event.submitter, event.openingFee, cause),
          ]
        : [];
    case 'auction.bid-placed':
      return [
        transfer('hold', account.available(event.owner), account.deposit(event.bidId), event.deposit, cause),
      ];
    case 'auction.awarded': {
      const won = new Set(event.winners.map((winner) => winner.bidId));
      return auction.bids.filter((bid) => !won.has(bid.bidId)).map((bid) => depositBack(bid, cause));
    }
    case 'auction.failed':
      return [...auction.bids.map((bid) => depositBack(bid, cause)), ...escrowBack(auction, cause)];
    case 'auction.lapsed': {
      const won = new Set(auction.awarded.map((winner) => winner.bidId));
      return [
        ...auction.bids.filter((bid) => won.has(bid.bidId)).map((bid) => depositBack(bid, cause)),
        ...escrowBack(auction, cause),
      ];
    }
    default:
      return [];
  }
};
