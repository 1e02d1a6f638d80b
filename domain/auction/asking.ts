import { type Rent, rentFor } from '../enclave/rent.ts';
import type { FieldError } from '../errors.ts';
import { compare, type Micro, multiply, toMicro, units } from '../money.ts';
import { type Rational, roundHalfUp, times } from '../rational.ts';
import { DEFAULT_T_REF, TIERS } from '../tiers.ts';
import type { OpenAuction } from './commands.ts';
import { dominantShare, hoursOf, type Shape } from './h200.ts';
import type { QuoteInputs } from './quote.ts';
import { ALLOCATION_SECONDS } from './reservation.ts';

/**
 * What it costs to ask (settled 41): bidders hold capacity and deposits for whoever asks, so an order that nobody pays
 * for must not be free.
 */

/** Least ceiling of one winner, micro-units. */
export const MINIMUM_CEILING: Micro = toMicro('100');

/** Open auctions that one submitter may have at once. */
export const MAX_OPEN_AUCTIONS = 16;

/** How long an auction takes bids, whole seconds. */
export const AUCTION_SECONDS = { min: 1, max: 3600 } as const;

/**
 * Seconds of the capacity that it books which every order is priced for at least, however little it keeps it busy: by
 * nodes at their own price (`askingPrice`), by quotes at the list's. A run without work is paid a twentieth of its price
 * (settled 45), so that this pays for the second and a half that launching and ending one take.
 */
export const LEAST_SECONDS = 30;

/** What a place of a node counts as at least in a quote, TOPS: a node without free places can do nothing with the rest. */
const PLACE_TOPS = 1000;

/** What a shape keeps of an H200 while it waits, as much as a place at least. */
const placeShare = ({ requiredTops, memoryMb }: Shape, tRef: number): Rational =>
  dominantShare({ requiredTops: Math.max(requiredTops, PLACE_TOPS), memoryMb }, tRef);

/**
 * The ceiling to ask with, which nodes will bid under: the exact price of the work, and where that is less, that of the
 * capacity booked for the least time. A lower one is the submitter's to try.
 * @param exact what `priceQuote` makes of the same inputs
 */
export const askableCeiling = (
  exact: Micro,
  { tier, requiredTops, memoryMb }: Pick<QuoteInputs, 'tier' | 'requiredTops' | 'memoryMb'>,
  tRef: number = DEFAULT_T_REF,
): Micro => {
  const rate = { numerator: units(TIERS[tier].rateMicro), denominator: 1n };
  const hours = hoursOf(placeShare({ requiredTops, memoryMb }, tRef), LEAST_SECONDS);
  const place = toMicro(roundHalfUp(times(hours, rate)));
  return [exact, place, MINIMUM_CEILING].reduce((most, each) => (compare(each, most) > 0 ? each : most));
};

/** Longest extension, seconds: whoever has bid waits with its capacity. */
export const EXTENSION_SECONDS = 60;

const FEE_DIVISOR = 100n;

/** The opening fee: 1 % of ceiling × winners, rounded up as every charge (settled 10). It is not given back. */
export const openingFeeOf = (ceiling: Micro, winners: number): Micro =>
  toMicro((units(multiply(ceiling, winners)) + FEE_DIVISOR - 1n) / FEE_DIVISOR);

/**
 * What the capacity of one winner costs for as long as an award that was bought without a job waits to be taken: by the list,
 * gold's rate as for stakes, for the TOPS or memory that it books or the place that it takes. So much is held for the longest wait,
 * and charged by the time that it took (`chargeFor`).
 */
export const reservationOf = ({
  requiredTops,
  memoryMb,
  tRef = DEFAULT_T_REF,
}: Pick<OpenAuction, 'requiredTops' | 'memoryMb' | 'tRef'>): Rent => {
  const rate = { numerator: units(TIERS.gold.rateMicro), denominator: 1n };
  const hourly = toMicro(roundHalfUp(times(placeShare({ requiredTops, memoryMb }, tRef), rate)));
  return { hourly, held: rentFor(hourly, ALLOCATION_SECONDS) };
};

/** The rule that a ceiling per winner breaks, by the name of its request field. */
export const ceilingErrors = (ceiling: Micro, field = 'ceiling'): FieldError[] =>
  compare(ceiling, MINIMUM_CEILING) < 0
    ? [{ field, rule: `at least ${MINIMUM_CEILING} micro-units per winner` }]
    : [];
