import { z } from 'zod';
import { askableCeiling, openingFeeOf, reservationOf } from '../../../domain/auction/asking.ts';
import { priceQuote } from '../../../domain/auction/pricing.ts';
import type { Quote, QuoteInputs } from '../../../domain/auction/quote.ts';
import { ENCLAVE_LIMITS, WORK_LIMITS } from '../../../domain/enclave/limits.ts';
import { ok, type Result } from '../../../domain/errors.ts';
import { suffixOf } from '../../../domain/ids.ts';
import { multiply } from '../../../domain/money.ts';
import { tops } from '../../../domain/schema.ts';
import { QUOTE_TTL_SECONDS, TIER_NAMES, TIER_TABLE_VERSION } from '../../../domain/tiers.ts';
import { addSeconds } from '../../../domain/time.ts';
import type { QuoteTokens } from '../../../infra/keys/quote-tokens.ts';
import type { RequestContext } from '../../define-route.ts';
import { instant, micro } from '../../fields.ts';

/** Bounds of what can be priced (R58, R64). */
export const quoteFields = {
  tier: z.enum(TIER_NAMES),
  required_tops: tops,
  utilization: z.number().min(0).max(1),
  duration_seconds: z.number().positive().max(WORK_LIMITS.seconds.max),
};

/** Memory of each enclave, MiB: held all the time, so that it counts where it is the larger share of an H200. */
export const memoryMb = z.int().min(ENCLAVE_LIMITS.memoryMb.min).max(ENCLAVE_LIMITS.memoryMb.max);

export interface QuoteRequest {
  readonly tier: QuoteInputs['tier'];
  readonly required_tops: number;
  readonly utilization: number;
  readonly duration_seconds: number;
  readonly memory_mb: number;
}

export const quoteSchema = z
  .object({
    quote_id: z.string().describe('signed token; the quote itself'),
    h200_hours: z.string().describe('exact decimal, rounded half up to 6 places'),
    t_ref: z.number(),
    tier: z.enum(TIER_NAMES),
    tier_table_version: z.int(),
    rate: micro,
    ceiling: micro.describe('most that one winner is paid, micro-units'),
    winners: z.int(),
    maximum_total: micro.describe('winners × ceiling: what is held in escrow'),
    opening_fee: micro.describe('1 % of it: paid for asking, not given back'),
    reservation: micro.describe(
      'held beside it where the auction is opened without a job: the award is paid for by the second until a job takes it',
    ),
    privacy: z.number(),
    inputs: z.object({
      tier: z.enum(TIER_NAMES),
      required_tops: z.number(),
      utilization: z.number(),
      duration_seconds: z.number(),
      memory_mb: z.int(),
    }),
    expires_at: instant,
  })
  .meta({ id: 'Quote' });

export const quotedInputs = (request: QuoteRequest): QuoteInputs => ({
  tier: request.tier,
  requiredTops: request.required_tops,
  utilization: request.utilization,
  durationSeconds: request.duration_seconds,
  memoryMb: request.memory_mb,
});

/** Prices `request` for the caller by a reference of `tRef` TOPS. Ids of auction and job derive from the quote's, so a retry gets the same quote. */
export const makeQuote = (
  request: QuoteRequest,
  { principal, now, newId }: RequestContext,
  tRef: number,
): Result<Quote> => {
  const inputs = quotedInputs(request);
  const priced = priceQuote(inputs, tRef);
  if (!priced.ok) return priced;
  const ceiling = askableCeiling(priced.value.ceiling, inputs, tRef);
  return ok({
    ...priced.value,
    ceiling,
    maximumTotal: multiply(ceiling, priced.value.winners),
    ulid: suffixOf(newId('quote')),
    tRef,
    tier: inputs.tier,
    tierTableVersion: TIER_TABLE_VERSION,
    inputs,
    issuedTo: principal.id,
    expiresAt: addSeconds(now, QUOTE_TTL_SECONDS),
  });
};

/** Prices, signs and shows. */
export const answerQuote = async (
  { quotes, tRef }: { readonly quotes: QuoteTokens; readonly tRef: number },
  request: QuoteRequest,
  context: RequestContext,
): Promise<Result<z.input<typeof quoteSchema>>> => {
  const made = makeQuote(request, context, tRef);
  if (!made.ok) return made;
  const quote = made.value;
  return ok({
    quote_id: await quotes.sign(quote),
    h200_hours: quote.h200Hours,
    t_ref: quote.tRef,
    tier: quote.tier,
    tier_table_version: quote.tierTableVersion,
    rate: quote.rateMicro,
    ceiling: quote.ceiling,
    winners: quote.winners,
    maximum_total: quote.maximumTotal,
    opening_fee: openingFeeOf(quote.ceiling, quote.winners),
    reservation: multiply(reservationOf({ ...quote.inputs, tRef: quote.tRef }).held, quote.winners),
    privacy: quote.privacy,
    inputs: request,
    expires_at: quote.expiresAt,
  });
};
