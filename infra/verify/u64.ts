/** A size or an index: unsigned, 64 bits. */
export type U64 = bigint | number;

const LIMIT = 1n << 64n;

/** The value as `bigint`; null outside 0 … 2^64 − 1, and for a number that may have lost digits (beyond 2^53). */
export const u64 = (value: U64): bigint | null => {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : null;
  return typeof value === 'bigint' && value >= 0n && value < LIMIT ? value : null;
};
