import { z } from 'zod';
import { ERROR_STATUS, type ErrorCode } from './errors.ts';
import type { DomainEvent } from './event.ts';
import { isMicro, type Micro } from './money.ts';
import { INFRASTRUCTURE_TYPES, TIER_NAMES } from './tiers.ts';

/** Pieces that the stored events of several aggregates share. */

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
export const text = z.string();
export const name = z.string().min(1).max(255);
export const instant = z.iso.datetime();
export const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `${bytes} bytes in lower-case hex`);
export const count = z.int().nonnegative();
export const share = z.number().min(0).max(1);
export const version = z.int().positive();
/** A signed amount, as postings carry it. */
export const signedMicro = z.custom<Micro>(isMicro, 'an integer number of micro-units as a decimal string');
export const micro = z.custom<Micro>(
  (value) => isMicro(value) && !value.startsWith('-'),
  'an integer number of micro-units as a decimal string, not negative',
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
