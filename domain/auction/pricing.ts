import { ENCLAVE_LIMITS } from '../enclave/limits.ts';
import { type FieldError, ok, type Result, reject } from '../errors.ts';
import { type Micro, multiply, toMicro, units } from '../money.ts';
import { roundHalfUp, times, toFixed } from '../rational.ts';
import { DEFAULT_T_REF, isTierName, TIER_NAMES, TIERS } from '../tiers.ts';
import { dominantShare, hoursOf } from './h200.ts';
import type { QuoteInputs } from './quote.ts';

/** Decimal places of `h200Hours`, which is for display only (settled 10). */
const H200_PLACES = 6;

export interface Price {
  /** H200-hours as an exact decimal, half up to 6 places ("0.888889"). */
  readonly h200Hours: string;
  /** Price of one H200-hour. */
  readonly rateMicro: Micro;
  /** Most that one winner may be paid: exact hours × rate, half up to 1 micro-unit. */
  readonly ceiling: Micro;
  readonly winners: number;
  /** winners × ceiling: what the escrow must cover. */
  readonly maximumTotal: Micro;
  /** Minimum privacy score of the tier (D5). */
  readonly privacy: number;
}

const positive = (field: string, value: number): FieldError[] =>
  Number.isFinite(value) && value > 0 ? [] : [{ field, rule: 'must be a finite number above 0' }];

const share = (field: string, value: number): FieldError[] =>
  Number.isFinite(value) && value >= 0 && value <= 1 ? [] : [{ field, rule: 'must be a number from 0 to 1' }];

const memoryErrors = (value: number): FieldError[] => {
  const { min, max } = ENCLAVE_LIMITS.memoryMb;
  return Number.isInteger(value) && value >= min && value <= max
    ? []
    : [{ field: 'memory_mb', rule: `an integer from ${min} to ${max}` }];
};

const brokenRules = (inputs: QuoteInputs, tRef: number): FieldError[] => [
  ...(isTierName(inputs.tier) ? [] : [{ field: 'tier', rule: `must be one of ${TIER_NAMES.join(', ')}` }]),
  ...positive('required_tops', inputs.requiredTops),
  ...share('utilization', inputs.utilization),
  ...positive('duration_seconds', inputs.durationSeconds),
  ...(inputs.memoryMb === undefined ? [] : memoryErrors(inputs.memoryMb)),
  ...positive('t_ref', tRef),
];

/**
 * Prices a request: H200h = TOPS × utilization × hours ÷ T_ref (R58), or where that is more the hours of its memory
 * (`dominantShare`), ceiling = H200h × the tier's rate (R67).
 * Everything is exact; only the two results are rounded, each from the exact fraction (settled 10).
 * Refuses with `INVALID_REQUEST` and every broken rule by the name of its request field (R58, R64).
 * @param tRef reference throughput of one H200 in TOPS (D1).
 */
export const priceQuote = (inputs: QuoteInputs, tRef: number = DEFAULT_T_REF): Result<Price> => {
  const errors = brokenRules(inputs, tRef);
  if (errors.length > 0) return reject('INVALID_REQUEST', 'the request cannot be priced', errors);
  const { rateMicro, winners, privacy } = TIERS[inputs.tier];
  const hours = hoursOf(dominantShare(inputs, tRef, inputs.utilization), inputs.durationSeconds);
  const ceiling = toMicro(roundHalfUp(times(hours, { numerator: units(rateMicro), denominator: 1n })));
  return ok({
    h200Hours: toFixed(hours, H200_PLACES),
    rateMicro,
    ceiling,
    winners,
    maximumTotal: multiply(ceiling, winners),
    privacy,
  });
};
