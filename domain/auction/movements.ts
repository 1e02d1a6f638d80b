import { chargeFor } from '../enclave/rent.ts';
import { type LedgerEntry, openingFee, transfer } from '../ledger/entry.ts';
import { account } from '../ledger/events.ts';
import { multiply, subtract, ZERO } from '../money.ts';
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

/** The winners are paid for the time that their capacity waited, until `at`; the rest of what was held for it goes back. */
const rentSettled = (auction: Auction, at: string | null, cause: string): LedgerEntry[] => {
  const { reservation, auctionId, submitter, winners, closedAt, awarded } = auction;
  if (!reservation) return [];
  const held = account.rent(auctionId);
  const charge = at === null || closedAt === null ? ZERO : chargeFor(reservation, closedAt, at, 0);
  const rest = subtract(multiply(reservation.held, winners), multiply(charge, awarded.length));
  return [
    ...awarded.map(({ bidId, owner }) =>
      transfer('payment', held, account.available(owner), charge, cause, `reservation/${bidId}`),
    ),
    transfer('release', held, account.available(submitter), rest, cause, 'reservation'),
  ];
};

/**
 * Money that follows an auction's events. An auction of a job moves deposits only: the job holds and returns the escrow.
 * A winner's deposit stays until its job settles or the award lapses; every other one goes back at the close. An award
 * that waits to be taken is rented by the second (settled 41).
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
            ...(event.reservation
              ? [
                  transfer(
                    'hold',
                    account.available(event.submitter),
                    account.rent(event.auctionId),
                    multiply(event.reservation.held, event.winners),
                    cause,
                    'reservation',
                  ),
                ]
              : []),
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
      return [
        ...auction.bids.map((bid) => depositBack(bid, cause)),
        ...escrowBack(auction, cause),
        ...rentSettled(auction, null, cause),
      ];
    case 'auction.allocated':
      return rentSettled(auction, event.allocatedAt ?? null, cause);
    case 'auction.lapsed': {
      const won = new Set(auction.awarded.map((winner) => winner.bidId));
      return [
        ...auction.bids.filter((bid) => won.has(bid.bidId)).map((bid) => depositBack(bid, cause)),
        ...escrowBack(auction, cause),
        ...rentSettled(auction, event.lapsedAt, cause),
      ];
    }
    default:
      return [];
  }
};
