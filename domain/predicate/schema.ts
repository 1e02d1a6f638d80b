import { z } from 'zod';
import type { Attribute, AttributeSchema } from './attributes.ts';
import type { Credential } from './credential.ts';
import type { IssuerKey } from './issuer.ts';
import { PREDICATE_LIMITS } from './limits.ts';

const name = z.string().min(1).max(64);
const bits = z.int().min(1).max(PREDICATE_LIMITS.bits);

const attributeSchema = z.discriminatedUnion('type', [
  z.strictObject({ name, type: z.literal('integer'), bits }),
  z.strictObject({
    name,
    type: z.literal('decimal'),
    bits,
    scale: z.int().min(1).max(PREDICATE_LIMITS.scale),
  }),
  z.strictObject({ name, type: z.literal('text') }),
  z.strictObject({ name, type: z.literal('boolean') }),
]) satisfies z.ZodType<Attribute>;

/** The form of a schema in transit; what it means is checked by `checkSchema`. */
export const attributesSchema = z.strictObject({
  name: z.string().min(1).max(100),
  attributes: z.array(attributeSchema).min(1).max(PREDICATE_LIMITS.attributes),
}) satisfies z.ZodType<AttributeSchema>;

const decimal = z.string().regex(/^(0|[1-9]\d{0,77})$/, 'a whole number as decimal text');

export const issuerSchema = z.strictObject({ x: decimal, y: decimal }) satisfies z.ZodType<IssuerKey>;

/** Public inputs of a proof; a number that is no field element is for the verifier to refuse. */
export const publicInputsSchema = z.array(z.string().max(100)).max(PREDICATE_LIMITS.publicInputs);

/** The members of a proof; anything in them is for the verifier to judge. */
export const proofSchema = z.record(z.string().max(32), z.unknown());

export const predicateText = z.string().max(PREDICATE_LIMITS.text);

export const credentialSchema = z.strictObject({
  schema: attributesSchema,
  values: z.record(z.string().max(64), z.union([z.string().max(1000), z.number(), z.boolean()])),
  holder: decimal,
  expiresAt: z.iso.datetime(),
  issuer: issuerSchema,
  signature: z.tuple([decimal, decimal, decimal]),
}) satisfies z.ZodType<Credential>;

export const secretSchema = decimal;
