import { z } from 'zod';
import {
  count,
  errorCode,
  foreignJson,
  hex,
  id,
  instant,
  name as label,
  listOf,
  nameOf,
  schemaOf,
  text,
  textOf,
  version,
} from '../schema.ts';
import type { AcceptanceEvent } from './acceptance.ts';
import type { Attribute, AttributeSchema } from './attributes.ts';
import type { Credential } from './credential.ts';
import type { PredicateEvent } from './events.ts';
import { isShape, type Shape } from './ir.ts';
import type { IssuerKey } from './issuer.ts';
import { PREDICATE_LIMITS } from './limits.ts';
import { SETUP_LABELS } from './transcript.ts';

const name = nameOf(64);
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
  name: nameOf(100),
  attributes: z.array(attributeSchema).min(1).max(PREDICATE_LIMITS.attributes),
}) satisfies z.ZodType<AttributeSchema>;

const decimal = z.string().regex(/^(0|[1-9]\d{0,77})$/, 'a whole number as decimal text');

export const issuerSchema = z.strictObject({ x: decimal, y: decimal }) satisfies z.ZodType<IssuerKey>;

/** Public inputs of a proof; a number that is no field element is for the verifier to refuse. */
export const publicInputsSchema = z.array(textOf(100)).max(PREDICATE_LIMITS.publicInputs);

/** The members of a proof; anything in them is for the verifier to judge. */
export const proofSchema = z.record(nameOf(32), foreignJson);

export const predicateText = textOf(PREDICATE_LIMITS.text);

/** A double that holds its decimal text: RFC 7493 §2.2. */
const exactNumber = z.number().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);

export const credentialSchema = z.strictObject({
  schema: attributesSchema,
  values: z.record(name, z.union([textOf(1000), exactNumber, z.boolean()])),
  holder: decimal,
  expiresAt: instant,
  issuer: issuerSchema,
  signature: z.tuple([decimal, decimal, decimal]),
}) satisfies z.ZodType<Credential>;

export const secretSchema = decimal;

const shape = z.custom<Shape>(isShape, 'the shape of a circuit');
const blake2b = hex(64);

const transcript = z.strictObject({
  setup: z.enum(SETUP_LABELS),
  curve: z.literal('bn254'),
  protocol: z.literal('groth16'),
  circuitId: hex(32),
  sourceHash: hex(32),
  templatesHash: hex(32),
  compiler: label,
  circomlibHash: hex(32),
  prover: label,
  powersOfTau: z.strictObject({ power: z.int().positive(), sha256: hex(32) }),
  r1csHash: hex(32),
  circuitHash: blake2b,
  contributions: listOf(z.strictObject({ name: label, hash: blake2b })),
  beacon: z
    .string()
    .max(2048)
    .regex(/^([0-9a-f]{2})+$/)
    .nullable(),
  verified: z.boolean(),
  wasmHash: hex(32),
  zkeyHash: hex(32),
  keyHash: hex(32),
});

/** The stored events of circuits, and of proofs that were accepted. */
export const predicateEventSchema = schemaOf<PredicateEvent | AcceptanceEvent>()(
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('predicate.requested'),
      machineVersion: version,
      circuitId: hex(32),
      shape,
      constraints: count,
      publicInputs: count,
      requestedBy: text,
      requestedAt: instant,
    }),
    z.strictObject({
      type: z.literal('predicate.compiled'),
      r1csHash: hex(32),
      wasmHash: hex(32),
      constraints: count,
      publicInputs: count,
      compiledAt: instant,
    }),
    z.strictObject({
      type: z.literal('predicate.key-made'),
      verificationKey: z.record(name, foreignJson).readonly(),
      transcript,
      madeAt: instant,
    }),
    z.strictObject({ type: z.literal('predicate.failed'), code: errorCode, message: text }),
    z.strictObject({
      type: z.literal('predicate.proof-accepted'),
      machineVersion: version,
      circuitId: hex(32),
      scope: label,
      nullifier: decimal,
      context: decimal,
      verifier: text,
      acceptedAt: instant,
    }),
    z.strictObject({
      type: z.literal('predicate.context-used'),
      machineVersion: version,
      context: decimal,
      acceptance: id,
      verifier: text,
    }),
  ]),
);
