import { z } from 'zod';
import { toMicro } from '../domain/money.ts';
import { nameOf } from '../domain/schema.ts';

export { instant } from '../domain/schema.ts';

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** A number in a query string; anything that does not read as one fails as the number it should be. */
export const queryNumber = <T extends z.ZodNumber>(schema: T) =>
  z.preprocess((value) => (typeof value === 'string' && NUMBER.test(value) ? Number(value) : value), schema);

/** Position in the log, decimal: 18 digits fit what the database counts with. */
export const position = z.string().regex(/^(0|[1-9]\d{0,17})$/, 'a position: a whole number, at least 0');

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex');

/** A positive amount in micro-units, as text. */
export const amount = z
  .string()
  .regex(/^[1-9]\d{0,29}$/, 'a positive whole number of micro-units, as a string')
  .transform(toMicro);

/** An amount as an answer shows it. */
export const micro = z
  .string()
  .regex(/^-?(0|[1-9]\d*)$/)
  .describe('micro-units');

const ULID = '[0-7][0-9A-HJKMNP-TV-Z]{25}';

/** `<prefix>-<ulid>`. */
export const idOf = (prefix: string) =>
  z.string().regex(new RegExp(`^${prefix}-${ULID}$`), `an id ${prefix}-…`);

/** Up to `most` ids `<prefix>-<ulid>` in a query string, separated by commas. */
export const idsOf = (prefix: string, most: number) =>
  z
    .string()
    .regex(
      new RegExp(`^${prefix}-${ULID}(,${prefix}-${ULID}){0,${most - 1}}$`),
      `1 to ${most} ids ${prefix}-…, separated by commas`,
    );

export const pageQuery = {
  limit: queryNumber(z.int().min(1).max(500)).default(50),
  cursor: nameOf(200).optional(),
};
