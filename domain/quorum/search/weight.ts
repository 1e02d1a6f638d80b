/** Doubles hold integers up to 2^53; sums of so many weights have to stay below. */
const SAFE_BITS = 53;
/** More lot than this tells no more sets apart. */
const MOST_LOT_BITS = 24;

/**
 * Prices as doubles that add up without error. A weight is the price with the bid's lot behind it, so that of sets of
 * one price one is lightest. Where prices leave no room for that, weights are prices rounded down.
 */
export interface Scale {
  weigh(price: bigint, lot: number): number;
  /** Every set of a total below `price` weighs less than this. */
  above(price: bigint): number;
  /** Every set that weighs this or more costs at least as much. */
  priceOf(weight: number): bigint;
  /** Whether lighter means cheaper. False: of two weights up to `members` apart, either may be the cheaper one. */
  readonly exact: boolean;
}

const bitsOf = (value: bigint): number => value.toString(2).length;

/** @param members size of the largest set whose weights are added. */
export const scaleOf = (prices: readonly bigint[], members: number): Scale => {
  const most = Math.max(1, members);
  const highest = prices.reduce((top, price) => (price > top ? price : top), 1n);
  const room = SAFE_BITS - bitsOf(BigInt(most)) - bitsOf(highest);
  const lotScale = 2 ** Math.max(0, Math.min(MOST_LOT_BITS, room));
  const dropped = BigInt(Math.max(0, -room));
  return {
    exact: dropped === 0n,
    // The lots of a whole set stay below one unit of price.
    weigh: (price, lot) => Number(price >> dropped) * lotScale + Math.floor((lot * lotScale) / most),
    above: (price) => (dropped === 0n ? Number(price) * lotScale : Number(price >> dropped) + 1),
    priceOf: (weight) => BigInt(Math.max(0, Math.floor(Math.ceil(weight) / lotScale))) << dropped,
  };
};
