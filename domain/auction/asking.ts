import type { FieldError } from '../errors.ts';
import { compare, type Micro, multiply, toMicro, units } from '../money.ts';

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

/** The ceiling to ask with where the exact price of the work is `exact`: what is worth less than asking for it costs the least. */
export const askableCeiling = (exact: Micro): Micro =>
  compare(exact, MINIMUM_CEILING) < 0 ? MINIMUM_CEILING : exact;

/** Longest extension, seconds: whoever has bid waits with its capacity. */
export const EXTENSION_SECONDS = 60;

const FEE_DIVISOR = 100n;

/** The opening fee: 1 % of ceiling × winners, rounded up as every charge (settled 10). It is not given back. */
export const openingFeeOf = (ceiling: Micro, winners: number): Micro =>
  toMicro((units(multiply(ceiling, winners)) + FEE_DIVISOR - 1n) / FEE_DIVISOR);

/** The rule that a ceiling per winner breaks, by the name of its request field. */
export const ceilingErrors = (ceiling: Micro, field = 'ceiling'): FieldError[] =>
  compare(ceiling, MINIMUM_CEILING) < 0
    ? [{ field, rule: `at least ${MINIMUM_CEILING} micro-units per winner` }]
    : [];
