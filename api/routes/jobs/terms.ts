import type { Auction } from '../../../domain/auction/auction.ts';
import type { AuctionOpened } from '../../../domain/auction/events.ts';
import type { Quote } from '../../../domain/auction/quote.ts';
import { ok, type Rejection, type Result, reject } from '../../../domain/errors.ts';
import { domainEventOf, type RecordedEvent } from '../../../domain/event.ts';
import { suffixOf } from '../../../domain/ids.ts';
import type { SubmitJob } from '../../../domain/job/commands.ts';
import { stateName } from '../../../domain/lifecycle.ts';
import type { Micro } from '../../../domain/money.ts';
import { foldStream } from '../../../domain/registry.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { ceilingOf, seedOf } from '../auctions/open.ts';

/** What the job takes from its quote, or from the auction that was opened with one. */
export type Terms = Pick<
  SubmitJob,
  | 'quoteId'
  | 'auctionId'
  | 'auctionGiven'
  | 'tier'
  | 'tierTableVersion'
  | 'requiredTops'
  | 'utilization'
  | 'durationSeconds'
  | 'tRef'
  | 'pricedMemoryMb'
  | 'ceiling'
  | 'auctionSeconds'
  | 'seed'
>;

/** A quote, its auction and its job share one ULID. */
export const jobIdFor = (auctionId: string): string => `job-${suffixOf(auctionId)}`;

/** Why no job can take the award now; null when `jobId` can, or has done so already. */
const noAward = (auctionId: string, events: readonly RecordedEvent[], jobId: string): Rejection | null => {
  const { value, context } = foldStream(auctionId, events);
  const auction = context as Auction;
  const state = stateName(value);
  if (state === 'awarded' || (state === 'allocated' && auction.jobId === jobId)) return null;
  const { reason, message } = auction.failure ?? {
    reason: 'CONFLICT',
    message: `the auction is ${state}`,
  };
  return reject(reason, message, [{ field: 'auction_id', rule: 'an auction with an award to take' }]);
};

/** The terms of an auction of the submitter's whose award the job takes over. */
export const termsOfAuction = async (
  store: RouteDependencies['store'],
  auctionId: string,
  submitter: string,
): Promise<Result<Terms>> => {
  const events = await store.readStream(auctionId);
  const [first] = events;
  const auction = first && domainEventOf<AuctionOpened>(first);
  if (auction?.submitter !== submitter) {
    return reject('RESOURCE_NOT_FOUND', `no auction ${auctionId}`, [
      { field: 'auction_id', rule: 'an auction of yours' },
    ]);
  }
  const refusal = noAward(auctionId, events, jobIdFor(auctionId));
  if (refusal) return refusal;
  return ok({
    quoteId: auction.quoteId,
    auctionId,
    auctionGiven: true,
    tier: auction.tier,
    tierTableVersion: auction.tierTableVersion,
    requiredTops: auction.requiredTops,
    utilization: auction.utilization,
    durationSeconds: auction.durationSeconds,
    ...(auction.tRef === undefined ? {} : { tRef: auction.tRef }),
    ...(auction.memoryMb === undefined ? {} : { pricedMemoryMb: auction.memoryMb }),
    ceiling: auction.ceiling,
    auctionSeconds: auction.auctionSeconds,
    seed: auction.seed,
  });
};

/** The terms of a quote, within the limits that the submitter sets. */
export const termsOfQuote = (
  quote: Quote,
  limits: { readonly maximum?: Micro | undefined; readonly auctionSeconds: number },
  signer: RouteDependencies['signer'],
): Terms => ({
  quoteId: `quote-${quote.ulid}`,
  auctionId: `auction-${quote.ulid}`,
  auctionGiven: false,
  tier: quote.tier,
  tierTableVersion: quote.tierTableVersion,
  requiredTops: quote.inputs.requiredTops,
  utilization: quote.inputs.utilization,
  durationSeconds: quote.inputs.durationSeconds,
  tRef: quote.tRef,
  ...(quote.inputs.memoryMb === undefined ? {} : { pricedMemoryMb: quote.inputs.memoryMb }),
  ceiling: ceilingOf(quote, limits.maximum),
  auctionSeconds: limits.auctionSeconds,
  seed: seedOf(signer, quote),
});
