import { z } from 'zod';
import { ERROR_STATUS, type ErrorCode } from './errors.ts';
import type { DomainEvent } from './event.ts';
import { isMicro, type Micro } from './money.ts';
import { JSON_BOUNDS, type JsonBounds, jsonFault, nameFault, shownText, textFault } from './text.ts';
import { INFRASTRUCTURE_TYPES, TIER_NAMES } from './tiers.ts';

/**
 * Pieces that schemas share: of stored events, of the API, of the mesh. No schema of what comes from outside declares a
 * bare `z.string()`: `textOf`, `nameOf`, a closed pattern or `foreignJson` hold the gate (`domain/text.ts`), and
 * `test/outside-schemas.spec.ts` finds whoever forgets.
 */

const gated =
  (faultIn: (text: string) => string | null) =>
  (text: string, context: z.RefinementCtx): void => {
    const fault = faultIn(text);
    if (fault) context.addIssue({ code: 'custom', message: fault });
  };

/** Text of at most `most` UTF-16 units, well-formed and without U+0000. */
export const textOf = (most: number) => z.string().max(most).superRefine(gated(textFault));

/** A name of 1 to `most` UTF-16 units: text without controls, line breaks and invisible characters. */
export const nameOf = (most: number) => z.string().min(1).max(most).superRefine(gated(nameFault));

/** Text that is only shown, of which a stranger's first `most` units are kept: mended, never refused. */
export const shownTextOf = (most: number) => z.string().transform((text) => shownText(text, most));

/** JSON whose form is for its reader to judge: its texts, numbers, depth and size pass the gate. */
export const foreignJsonWithin = (bounds: JsonBounds) =>
  z.unknown().superRefine((value, context) => {
    const fault = jsonFault(value, '', bounds);
    if (!fault) return;
    const path = fault.field === '' ? [] : fault.field.split('.');
    context.addIssue({ code: 'custom', path, message: fault.rule });
  });
export const foreignJson = foreignJsonWithin(JSON_BOUNDS);

/** `<prefix>-<rest>`: ids of streams, bids, providers and principals. */
export const id = z
  .string()
  .max(128)
  .regex(/^[a-z]+-[0-9A-Za-z-]+$/, 'a prefix and a name');
/** Id of an event, `<stream>@<revision>`. */
export const eventIdSchema = z
  .string()
  .max(160)
  .regex(/^[a-z]+-[0-9A-Za-z-]+@\d+$/, 'a stream and a revision');
/** Any text of an event; who makes it bounds it closer. */
export const text = textOf(65_536);
export const name = nameOf(255);
/** RFC 3339 in UTC, to the nanosecond at most. PostgreSQL knows no year 0, and no fraction of any length. */
export const instant = z.iso
  .datetime()
  .max(30)
  .refine((value) => !value.startsWith('0000'), 'a year from 0001');
export const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `${bytes} bytes in lower-case hex`);
export const count = z.int().nonnegative();
export const share = z.number().min(0).max(1);
/** Throughput in TOPS, of a machine or asked of one (R58): far above what one machine has. */
export const tops = z.number().positive().max(1e9);
/** A duration: a century, the longest, is beyond every clock of ours. */
export const seconds = z.number().positive().max(3.2e9);
/** A measured figure that is not negative. */
export const measure = z.number().nonnegative().max(1e15);
export const version = z.int().positive();
/** Sums of amounts of 30 digits, more of them than will ever be booked, fit. */
const MICRO_DIGITS = 50;
const NAMED_MICRO_DIGITS = 30;
/** A signed amount, as postings carry it. */
export const signedMicro = z.custom<Micro>(
  (value) => isMicro(value) && value.length <= MICRO_DIGITS,
  'an integer number of micro-units as a decimal string',
);
export const micro = z.custom<Micro>(
  (value) => isMicro(value) && value.length <= MICRO_DIGITS && !value.startsWith('-'),
  'an integer number of micro-units as a decimal string, not negative',
);
/** An amount that somebody names: far from every sum that is kept. */
export const namedMicro = z.custom<Micro>(
  (value) => isMicro(value) && value.length <= NAMED_MICRO_DIGITS && !value.startsWith('-'),
  'an integer number of micro-units as a decimal string of at most 30 digits, not negative',
);
export const errorCode = z.enum(Object.keys(ERROR_STATUS) as ErrorCode[]);
export const tierName = z.enum(TIER_NAMES);
export const infrastructureType = z.enum(INFRASTRUCTURE_TYPES);
export const platformLabel = z.enum(['hardware', 'simulated']);
export const verificationStep = z.strictObject({ step: name, ok: z.boolean(), code: name });
export const listOf = <S extends z.ZodType>(item: S) => z.array(item).readonly();

/**
 * Holds a schema and the handwritten union of events to each other: neither may know a field or a type that the other
 * does not.
 */
export const schemaOf =
  <E extends DomainEvent>() =>
  <S extends z.ZodType<E>>(schema: [E] extends [z.infer<S>] ? S : never): S =>
    schema;
