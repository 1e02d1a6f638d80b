import type { SnapshotFrom } from 'xstate';
import { accept, type Decision, type DecisionContext } from '../decision.ts';
import { type Rejection, reject } from '../errors.ts';
import { MAX_BIDS, TIERS } from '../tiers.ts';
import { addSeconds, isBefore } from '../time.ts';
import { AUCTION_SECONDS, ceilingErrors, EXTENSION_SECONDS, openingFeeOf, reservationOf } from './asking.ts';
import type { Auction, SealedBid } from './auction.ts';
import type { AuctionCommand, OpenAuction, PlaceBid } from './commands.ts';
import type { AuctionEvent, AuctionExtended, BidVerdict } from './events.ts';
import { AUCTION_VERSION, type auctionMachine } from './machine.ts';
import type { auctionMachineV1 } from './machine-v1.ts';

/** All versions decide alike; what differs is what their machines accept, and what their opening event says. */
type Snapshot = SnapshotFrom<typeof auctionMachine> | SnapshotFrom<typeof auctionMachineV1>;

/** Longest auction of version 1, seconds: a day. */
const V1_AUCTION_SECONDS = 86_400;

/** Distinct owners among active bids: "3 providers" counts owners, not identities (domain-rules 1.3). */
export const distinctOwners = (bids: readonly Pick<SealedBid, 'owner'>[]): number =>
  new Set(bids.map((bid) => bid.owner)).size;

const decideAt = (
  version: number,
  snapshot: Snapshot,
  command: AuctionCommand,
  ctx: DecisionContext,
): Decision<AuctionEvent> => {
  const auction = snapshot.context;
  switch (command.type) {
    case 'open':
      return open(version, snapshot, command, ctx);
    case 'place-bid':
      return placeBid(snapshot, command, ctx);
    case 'allocate': {
      if (ctx.actor !== auction.submitter)
        return reject('AUTHORIZATION_FAILED', 'only the submitter allocates its auction');
      const event = {
        type: 'auction.allocated',
        jobId: command.jobId,
        ...(version > 3 && { allocatedAt: ctx.now }),
      } as const;
      if (snapshot.can(event)) return accept(event);
      if (auction.failure) return reject(auction.failure.reason, auction.failure.message);
      return reject('CONFLICT', `the auction is ${snapshot.value}, not awarded`);
    }
    case 'cancel':
      if (ctx.actor !== 'engine')
        return reject('AUTHORIZATION_FAILED', 'only the engine cancels the auction of a job');
      return cancel(snapshot, command.reason);
    case 'deadline':
      return command.id === 'close' ? close(version, snapshot, ctx) : lapse(snapshot, ctx);
  }
};

/** Rules over commands of an auction. Prices are under seal here: the ceiling was checked before sealing. */
export const decide = (
  snapshot: SnapshotFrom<typeof auctionMachine>,
  command: AuctionCommand,
  ctx: DecisionContext,
): Decision<AuctionEvent> => decideAt(AUCTION_VERSION, snapshot, command, ctx);

/** The same for streams of version 3, whose awards wait to be taken for nothing. */
export const decideV3: typeof decide = (snapshot, command, ctx) => decideAt(3, snapshot, command, ctx);

/** The same for streams of version 2. */
export const decideV2: typeof decide = (snapshot, command, ctx) => decideAt(2, snapshot, command, ctx);

/** The same for streams of version 1. */
export const decideV1 = (
  snapshot: SnapshotFrom<typeof auctionMachineV1>,
  command: AuctionCommand,
  ctx: DecisionContext,
): Decision<AuctionEvent> => decideAt(1, snapshot, command, ctx);

const open = (
  version: number,
  snapshot: Snapshot,
  command: OpenAuction,
  ctx: DecisionContext,
): Decision<AuctionEvent> => {
  if (!snapshot.matches('new')) {
    return reject('CONFLICT', 'this quote has already opened an auction', [
      { field: 'quote_id', rule: 'not used before' },
    ]);
  }
  const { auctionSeconds, ceiling, jobId } = command;
  // What a job asks for was judged with its submission, by the rules of its own version.
  const isJudged = version === 1 || jobId !== null;
  const longest = isJudged ? V1_AUCTION_SECONDS : AUCTION_SECONDS.max;
  if (!Number.isInteger(auctionSeconds) || auctionSeconds < AUCTION_SECONDS.min || auctionSeconds > longest) {
    return reject('INVALID_REQUEST', 'the auction length is out of range', [
      { field: 'auction_seconds', rule: `an integer from ${AUCTION_SECONDS.min} to ${longest}` },
    ]);
  }
  const tooLow = isJudged ? [] : ceilingErrors(ceiling);
  if (tooLow.length > 0) return reject('INVALID_REQUEST', 'the ceiling is too low', tooLow);
  const { type: _, ...terms } = command;
  const tier = TIERS[command.tier];
  return accept({
    type: 'auction.opened',
    machineVersion: version,
    ...terms,
    winners: tier.winners,
    requiredUp: tier.requiredUp,
    minimumOwners: tier.minimumOwners,
    // The job that an auction belongs to has paid for it.
    ...(!isJudged && { openingFee: openingFeeOf(ceiling, tier.winners) }),
    ...(version > 3 && jobId === null && { reservation: reservationOf(command) }),
    rule: version < 3 ? 'critical-value' : 'risk-priced',
    openedAt: ctx.now,
    closesAt: addSeconds(ctx.now, auctionSeconds),
  });
};

/** The refusal of a bid that comes at or after the close. */
export const late = (closesAt: string): Rejection =>
  reject('AUCTION_EXPIRED', `the auction closed at ${closesAt}`, [
    { field: 'auction_id', rule: 'an auction that is open' },
  ]);

/** The refusal of a bid by whoever opened the auction. */
export const ownAuction = (): Rejection =>
  reject('AUTHORIZATION_FAILED', 'nobody bids on an auction of its own', [
    { field: 'auction_id', rule: 'an auction of somebody else' },
  ]);

const placeBid = (snapshot: Snapshot, command: PlaceBid, ctx: DecisionContext): Decision<AuctionEvent> => {
  const auction = snapshot.context;
  if (snapshot.matches('new')) return reject('RESOURCE_NOT_FOUND', 'no such auction');
  // The logged close decides; a bid that arrives before the close event but at its instant is late all the same.
  if (!snapshot.matches('open') || !isBefore(ctx.now, auction.closesAt)) {
    return late(auction.closesAt);
  }
  if (command.owner === auction.submitter) return ownAuction();
  if (auction.bids.some((bid) => bid.owner === command.owner))
    return reject('CONFLICT', 'this owner has bid already', [
      { field: 'auction_id', rule: 'one active bid per owner' },
    ]);
  if (auction.bids.length >= MAX_BIDS) return reject('CONFLICT', `the auction has its ${MAX_BIDS} bids`);
  const { type: _, ...bid } = command;
  return accept({ type: 'auction.bid-placed', ...bid, deposit: auction.ceiling, placedAt: ctx.now });
};

const close = (version: number, snapshot: Snapshot, ctx: DecisionContext): Decision<AuctionEvent> => {
  const auction = snapshot.context;
  if (!snapshot.matches('open')) return reject('CONFLICT', 'the auction is not open');
  const owners = distinctOwners(auction.bids);
  if (owners >= auction.minimumOwners) return accept({ type: 'auction.closed', closedAt: ctx.now });
  if (!auction.extended)
    return accept(extension(auction, owners, ctx.now, version === 1 ? undefined : EXTENSION_SECONDS));
  return accept({
    type: 'auction.failed',
    reason: 'AUCTION_NOT_ENOUGH_BIDS',
    message: `bids of distinct owners: have ${owners}, need ${auction.minimumOwners}`,
    verdicts: expired(auction.bids, 'too few bids'),
  });
};

/** One more term for bids of more owners: as long as the first, and since version 2 no longer than a minute, for bids hold capacity. */
export const extension = (
  auction: Auction,
  owners: number,
  now: string,
  longest = Number.POSITIVE_INFINITY,
): AuctionExtended => ({
  type: 'auction.extended',
  extendedAt: now,
  closesAt: addSeconds(now, Math.min(auction.auctionSeconds, longest)),
  owners,
});

const expired = (bids: readonly SealedBid[], reason: string): BidVerdict[] =>
  bids.map(({ bidId }) => ({ bidId, state: 'expired', reason }));

const cancel = (snapshot: Snapshot, message: string): Decision<AuctionEvent> => {
  const verdicts = expired(snapshot.context.bids, message);
  const event = { type: 'auction.failed', reason: 'CONFLICT', message, verdicts } as const;
  return snapshot.can(event) ? accept(event) : reject('CONFLICT', `the auction is ${snapshot.value}`);
};

const lapse = (snapshot: Snapshot, ctx: DecisionContext): Decision<AuctionEvent> => {
  const event = { type: 'auction.lapsed', lapsedAt: ctx.now } as const;
  return snapshot.can(event) ? accept(event) : reject('CONFLICT', 'the award was taken');
};

/** Bids a replacement may come from: opened, not refused, not among the winners. */
export const reserveOf = (auction: Auction) => {
  const taken = new Set([
    ...auction.awarded.map((bid) => bid.bidId),
    ...auction.refused.map((bid) => bid.bidId),
  ]);
  return auction.opened.filter((bid) => !taken.has(bid.bidId));
};
