declare const micro: unique symbol;

/** An integer number of micro-units as a decimal string, so that it survives JSON everywhere (settled 5). */
export type Micro = string & { readonly [micro]: true };

const INTEGER = /^-?(0|[1-9]\d*)$/;

export const isMicro = (value: unknown): value is Micro =>
  typeof value === 'string' && INTEGER.test(value) && value !== '-0';

/** Brands an amount. @throws RangeError when `value` is not an integer number of micro-units. */
export const toMicro = (value: bigint | string): Micro => {
  const text = String(value);
  if (!isMicro(text)) throw new RangeError(`not an integer number of micro-units: ${text}`);
  return text;
};

export const ZERO: Micro = toMicro(0n);

/** The arithmetic form; only policy functions hold it. */
export const units = (amount: Micro): bigint => BigInt(amount);

export const add = (...amounts: readonly Micro[]): Micro =>
  toMicro(amounts.reduce((sum, each) => sum + units(each), 0n));
export const subtract = (a: Micro, b: Micro): Micro => toMicro(units(a) - units(b));
export const negate = (a: Micro): Micro => toMicro(-units(a));
export const multiply = (a: Micro, factor: bigint | number): Micro => toMicro(units(a) * BigInt(factor));
/** -1, 0 or 1. */
export const compare = (a: Micro, b: Micro): number =>
  units(a) < units(b) ? -1 : units(a) > units(b) ? 1 : 0;
