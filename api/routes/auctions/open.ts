import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AUCTION_SECONDS } from '../../../domain/auction/asking.ts';
import type { OpenAuction } from '../../../domain/auction/commands.ts';
import type { AuctionOpened } from '../../../domain/auction/events.ts';
import type { Quote } from '../../../domain/auction/quote.ts';
import { reject } from '../../../domain/errors.ts';
import { domainEventOf } from '../../../domain/event.ts';
import { compare, type Micro, multiply, ZERO } from '../../../domain/money.ts';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import type { CommandAccepted } from '../../../domain/ports/lifecycles.ts';
import { nameOf } from '../../../domain/schema.ts';
import { DEFAULT_AUCTION_SECONDS } from '../../../domain/tiers.ts';
import { MAX_QUOTE_TOKEN_CHARS } from '../../../infra/keys/quote-tokens.ts';
import type { Signer } from '../../../infra/keys/signer.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { amount, instant, micro, position } from '../../fields.ts';
import { inPlace } from '../places.ts';

export const quoteId = nameOf(MAX_QUOTE_TOKEN_CHARS);
export const auctionSeconds = z.int().min(AUCTION_SECONDS.min).max(AUCTION_SECONDS.max);

/** The place that an auction takes among those its submitter may have open (settled 41). */
export const auctionPlaceOf = (principal: string, auctionId: string) => ({
  principal,
  stream: auctionId,
  field: 'auctions',
  what: 'open auctions',
});

/** The lower of the quote's ceiling and the submitter's own maximum per winner. */
export const ceilingOf = (quote: Pick<Quote, 'ceiling'>, maximum: Micro | undefined): Micro =>
  maximum !== undefined && compare(maximum, quote.ceiling) < 0 ? maximum : quote.ceiling;

/**
 * Seed of an auction's ties: our signature over the quote's id. It is fixed by the quote, nobody can foresee it, and
 * whoever has the signature can check it.
 */
export const seedOf = (signer: Signer, quote: Pick<Quote, 'ulid'>): string =>
  createHash('sha256').update(signer.sign('aivillage-auction-seed-v1', quote.ulid)).digest('hex');

/** Refuses a quote that already made something else than `stream`. The auction of a job belongs to that job. */
export const usedElsewhere = async (store: Pick<EventStore, 'readStream'>, quote: Quote, stream: string) => {
  for (const other of [`job-${quote.ulid}`, `auction-${quote.ulid}`]) {
    if (other === stream) continue;
    const [first] = await store.readStream(other, { from: 0n, to: 0n });
    if (first && first.data['jobId'] !== stream) {
      return reject('CONFLICT', `the quote was used for ${other}`, [
        { field: 'quote_id', rule: 'not used before' },
      ]);
    }
  }
  return null;
};

export const openAuction = ({
  auctionPlaces,
  quotes,
  lifecycles,
  store,
  signer,
}: Pick<RouteDependencies, 'auctionPlaces' | 'quotes' | 'lifecycles' | 'store' | 'signer'>) => {
  const opened = async (auctionId: string, outcome: CommandAccepted) => {
    const [first] = await store.readStream(auctionId, { from: 0n, to: 0n });
    if (!first) throw new Error(`${auctionId} was opened but has no event`);
    const { ceiling, winners, minimumOwners, openingFee, reservation, closesAt } =
      domainEventOf<AuctionOpened>(first);
    return respond(201, {
      auction_id: auctionId,
      state: outcome.state,
      ceiling,
      k: winners,
      min_bidders: minimumOwners,
      escrow: multiply(ceiling, winners),
      opening_fee: openingFee ?? ZERO,
      reservation: multiply(reservation?.held ?? ZERO, winners),
      deposit: ceiling,
      closes_at: closesAt,
      position: outcome.position,
    });
  };

  return defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/pricing/auction',
      summary: 'Open a sealed reverse auction from a quote',
      tag: 'pricing',
      access: ['submitter'],
      body: z
        .strictObject({
          quote_id: quoteId,
          max_bid: amount.optional().describe('lower ceiling per winner, micro-units'),
          auction_seconds: auctionSeconds.optional(),
          auction_duration_minutes: z
            .int()
            .min(1)
            .max(AUCTION_SECONDS.max / 60)
            .optional(),
        })
        .refine((body) => body.auction_seconds === undefined || body.auction_duration_minutes === undefined, {
          path: ['auction_seconds'],
          message: 'not together with auction_duration_minutes',
        }),
      responses: {
        201: z.object({
          auction_id: z.string(),
          state: z.string(),
          ceiling: micro,
          k: z.int().describe('winners'),
          min_bidders: z.int(),
          escrow: micro,
          opening_fee: micro.describe('paid for asking, not given back'),
          reservation: micro.describe('held for the award until a job takes it, and charged by the second'),
          deposit: micro,
          closes_at: instant,
          position,
        }),
      },
      errors: ['RESOURCE_NOT_FOUND', 'CONFLICT', 'INSUFFICIENT_BALANCE'],
    },
    async ({ principal, meta }, { body }) => {
      const quoted = await quotes.open(body.quote_id, principal.id);
      if (!quoted.ok) return quoted;
      const quote = quoted.value;
      const auctionId = `auction-${quote.ulid}`;
      const used = await usedElsewhere(store, quote, auctionId);
      if (used) return used;
      const seconds = body.auction_duration_minutes
        ? body.auction_duration_minutes * 60
        : body.auction_seconds;
      const command: OpenAuction = {
        type: 'open',
        auctionId,
        submitter: principal.id,
        jobId: null,
        quoteId: `quote-${quote.ulid}`,
        tier: quote.tier,
        tierTableVersion: quote.tierTableVersion,
        requiredTops: quote.inputs.requiredTops,
        utilization: quote.inputs.utilization,
        durationSeconds: quote.inputs.durationSeconds,
        tRef: quote.tRef,
        ...(quote.inputs.memoryMb === undefined ? {} : { memoryMb: quote.inputs.memoryMb }),
        ceiling: ceilingOf(quote, body.max_bid),
        auctionSeconds: seconds ?? DEFAULT_AUCTION_SECONDS,
        seed: seedOf(signer, quote),
      };
      const outcome = await inPlace(auctionPlaces, auctionPlaceOf(principal.id, auctionId), () =>
        lifecycles.open('auction', auctionId, command, meta(auctionId)),
      );
      return outcome.ok ? opened(auctionId, outcome) : outcome;
    },
    async ({ principal, commandId }, { body }) => {
      const quoted = await quotes.openExpired(body.quote_id, principal.id);
      if (!quoted.ok) return null;
      const auctionId = `auction-${quoted.value.ulid}`;
      const outcome = await lifecycles.decided(auctionId, commandId);
      return outcome && opened(auctionId, outcome);
    },
  );
};
