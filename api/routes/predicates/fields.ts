import { z } from 'zod';
import type { PredicateContext } from '../../../domain/predicate/context.ts';
import { attributesSchema, issuerSchema, predicateText } from '../../../domain/predicate/schema.ts';
import { STANDARD_SCHEMA } from '../../../domain/predicate/standard-schema.ts';
import { SETUP_LABELS } from '../../../domain/predicate/transcript.ts';
import { nameOf } from '../../../domain/schema.ts';
import { instant } from '../../fields.ts';

export const circuitId = nameOf(128).describe('hex SHA-256 of the circuit’s shape');

export const schemaField = attributesSchema
  .default({ ...STANDARD_SCHEMA, attributes: [...STANDARD_SCHEMA.attributes] })
  .describe('what a credential holds, slot by slot; without it age, country and trust');

/** What the verifier wants to know and for what it may be used: its own words, nothing taken from the proof. */
export const contextSchema = z.strictObject({
  predicate: predicateText,
  schema: schemaField,
  issuer: issuerSchema.describe('whose credentials count: a point of BabyJubJub'),
  scope: nameOf(200).describe('a holder proves once in a scope'),
  nonce: z.string().regex(/^([0-9a-f]{2}){16,64}$/, '16 to 64 bytes in lower-case hex'),
  issued_at: instant.describe('the time against which credentials are judged'),
  expires_at: instant.describe('at most an hour later'),
});

export type ContextInput = z.output<typeof contextSchema>;

/** The context that the proof has to be made for: by this verifier, for this circuit and key. */
export const contextOf = (
  { scope, nonce, issued_at, expires_at }: ContextInput,
  verifier: string,
  circuit: string,
  keyHash: string,
): PredicateContext => ({
  verifier,
  nonce,
  circuitId: circuit,
  keyHash,
  scope,
  issuedAt: issued_at,
  expiresAt: expires_at,
});

const FIXED_INPUTS = ['nullifier', 'context', 'scope', 'now', 'schema', 'issuer.x', 'issuer.y'] as const;

/** Names of a circuit's public inputs, in their order. */
export const inputNames = (publicInputs: number): readonly string[] => [
  ...FIXED_INPUTS,
  ...Array.from({ length: publicInputs - FIXED_INPUTS.length }, (_, index) => `literals.${index}`),
];

const PROGRESS: Readonly<Record<string, number>> = { compiling: 0.1, 'setting-up': 0.4, ready: 1, failed: 0 };

/** How far a circuit is, from 0 to 1. */
export const progressOf = (state: string): number => PROGRESS[state] ?? 0;

export const stateSchema = z.enum(['compiling', 'setting-up', 'ready', 'failed']);
export const setupSchema = z
  .enum(SETUP_LABELS)
  .describe('who could have kept a secret by which proofs can be forged');
