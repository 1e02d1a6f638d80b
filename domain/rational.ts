/** Exact arithmetic on non-negative fractions, for prices: doubles never touch money. */
export interface Rational {
  readonly numerator: bigint;
  /** > 0. */
  readonly denominator: bigint;
}

const DECIMAL = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/;

/**
 * The fraction that the shortest decimal text of `value` names: 0.1 is one tenth, not the nearest double.
 * @throws RangeError when `value` is negative or not finite.
 */
export const rationalOf = (value: number): Rational => {
  const match = DECIMAL.exec(String(value));
  if (!match) throw new RangeError(`not a finite non-negative number: ${value}`);
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const scale = Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  return scale >= 0
    ? { numerator: digits * 10n ** BigInt(scale), denominator: 1n }
    : { numerator: digits, denominator: 10n ** BigInt(-scale) };
};

export const times = (...factors: readonly Rational[]): Rational => ({
  numerator: factors.reduce((product, { numerator }) => product * numerator, 1n),
  denominator: factors.reduce((product, { denominator }) => product * denominator, 1n),
});

/** @throws RangeError on division by zero. */
export const dividedBy = (a: Rational, b: Rational): Rational => {
  if (b.numerator === 0n) throw new RangeError('division by zero');
  return { numerator: a.numerator * b.denominator, denominator: a.denominator * b.numerator };
};

/** The nearest integer; a half goes up. */
export const roundHalfUp = ({ numerator, denominator }: Rational): bigint =>
  (2n * numerator + denominator) / (2n * denominator);

/** The next integer that is no less. */
export const roundUp = ({ numerator, denominator }: Rational): bigint =>
  (numerator + denominator - 1n) / denominator;

/** Decimal text with exactly `places` digits after the point, half up. */
export const toFixed = (value: Rational, places: number): string => {
  const scaled = roundHalfUp({ ...value, numerator: value.numerator * 10n ** BigInt(places) });
  const digits = scaled.toString().padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
};
