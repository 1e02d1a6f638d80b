import { z } from 'zod';
import {
  count,
  errorCode,
  hex,
  id,
  infrastructureType,
  instant,
  listOf,
  measure,
  micro,
  name,
  schemaOf,
  seconds,
  share,
  text,
  tierName,
  tops,
  version,
} from '../schema.ts';
import type { AuctionEvent } from './events.ts';

const openedBidFields = {
  bidId: id,
  providerId: id,
  owner: name,
  infrastructureType,
  asn: count,
  region: name,
  unavailability: share,
  price: micro,
  newcomer: z.boolean(),
  surcharge: micro.exactOptional(),
};

/** A bid after the close. */
export const openedBid = z.strictObject(openedBidFields);
/** A member bought. */
export const winner = z.strictObject({ ...openedBidFields, payment: micro });

const bidVerdict = z.strictObject({
  bidId: id,
  state: z.enum(['won', 'lost', 'expired', 'rejected']),
  reason: text,
});

/** The stored events of an auction. */
export const auctionEventSchema = schemaOf<AuctionEvent>()(
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('auction.opened'),
      machineVersion: version,
      auctionId: id,
      submitter: name,
      jobId: id.nullable(),
      quoteId: name,
      tier: tierName,
      tierTableVersion: version,
      requiredTops: tops,
      utilization: share,
      durationSeconds: seconds,
      tRef: tops.exactOptional(),
      memoryMb: z.int().positive().exactOptional(),
      winners: z.int().positive(),
      requiredUp: z.int().positive(),
      minimumOwners: z.int().positive(),
      ceiling: micro,
      openingFee: micro.exactOptional(),
      reservation: z.strictObject({ hourly: micro, held: micro }).exactOptional(),
      rule: z.enum(['critical-value', 'risk-priced']),
      seed: hex(32),
      auctionSeconds: z.int().positive(),
      openedAt: instant,
      closesAt: instant,
    }),
    z.strictObject({
      type: z.literal('auction.bid-placed'),
      bidId: id,
      providerId: id,
      owner: name,
      sealed: text,
      deposit: micro,
      placedAt: instant,
    }),
    z.strictObject({
      type: z.literal('auction.extended'),
      extendedAt: instant,
      closesAt: instant,
      owners: count,
    }),
    z.strictObject({ type: z.literal('auction.closed'), closedAt: instant }),
    z.strictObject({
      type: z.literal('auction.bids-opened'),
      bids: listOf(openedBid),
      risks: listOf(z.strictObject({ bidId: id, positive: measure, negative: measure })).exactOptional(),
      refused: listOf(bidVerdict),
    }),
    z.strictObject({
      type: z.literal('auction.awarded'),
      winners: listOf(winner),
      verdicts: listOf(bidVerdict),
      total: micro,
      predictedAvailability: share,
      method: z.enum(['exact', 'best-found']),
      atLeast: micro.exactOptional(),
      allocateBy: instant.nullable(),
    }),
    z.strictObject({
      type: z.literal('auction.failed'),
      reason: errorCode,
      message: text,
      verdicts: listOf(bidVerdict),
    }),
    z.strictObject({
      type: z.literal('auction.allocated'),
      jobId: id,
      allocatedAt: instant.exactOptional(),
    }),
    z.strictObject({ type: z.literal('auction.lapsed'), lapsedAt: instant }),
  ]),
);
