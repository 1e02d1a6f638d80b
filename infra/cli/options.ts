import { InvalidArgumentError } from 'commander';

/** Option parsers: they hold the form. Bounds are the engine's, which names field and rule. */

const DECIMAL = /^-?\d{1,15}(\.\d{1,15})?$/;

/** A decimal number. */
export const decimal = (value: string): number => {
  if (!DECIMAL.test(value)) throw new InvalidArgumentError('It must be a number.');
  return Number(value);
};

/** A whole number that JSON carries exactly. */
export const whole = (value: string): number => {
  if (!/^-?\d{1,15}$/.test(value)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(value);
};

/** An amount in micro-units, kept as text. */
export const microUnits = (value: string): string => {
  if (!/^\d{1,30}$/.test(value)) throw new InvalidArgumentError('It must be a whole number of micro-units.');
  return value.replace(/^0+(?=\d)/, '');
};

/** Position or revision in the log, kept as text. */
export const logNumber = (value: string): string => {
  if (!/^\d{1,18}$/.test(value)) throw new InvalidArgumentError('It must be a whole number, at least 0.');
  return value;
};

/** Collects an option that may be given many times. */
export const collect = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];

/** Bytes in hex, at most 64 of them; kept as text in lower case. */
export const hexBytes = (value: string): string => {
  if (!/^([0-9a-fA-F]{2}){1,64}$/.test(value))
    throw new InvalidArgumentError('It must be hex of at most 64 bytes.');
  return value.toLowerCase();
};

const prefixedHex =
  (bytes: number) =>
  (value: string): string => {
    if (!new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`).test(value))
      throw new InvalidArgumentError(`It must be 0x and ${2 * bytes} hex digits.`);
    return value.toLowerCase();
  };

/** Address on an EVM chain. */
export const evmAddress = prefixedHex(20);

const blockHash = prefixedHex(32);

/** Collects hashes of blocks. */
export const blockHashes = (value: string, before: readonly string[] = []): readonly string[] =>
  collect(blockHash(value), before);
