import type { AttributeSchema } from './attributes.ts';
import { schemaField } from './attributes.ts';
import { contextField, epochSeconds, type PredicateContext } from './context.ts';
import { fieldOf } from './field.ts';
import type { IssuerKey } from './issuer.ts';
import type { Predicate } from './predicate.ts';

/** All that a proof claims: a holder of a credential by this issuer, under this schema, fulfils the predicate. */
export interface Statement {
  readonly predicate: Pick<Predicate, 'literals'>;
  readonly schema: AttributeSchema;
  readonly issuer: IssuerKey;
  readonly context: PredicateContext;
}

/** A public input that a verifier can compute, in the order of the circuit. */
export interface ExpectedInput {
  readonly name: string;
  readonly value: bigint;
}

/** The scope as the field element that nullifiers are made of. */
export const scopeField = (scope: string): bigint => fieldOf('scope', scope);

/** The public inputs after the nullifier, the circuit's one output, which stands first. */
export const expectedInputs = ({
  predicate,
  schema,
  issuer,
  context,
}: Statement): readonly ExpectedInput[] => [
  { name: 'context', value: contextField(context) },
  { name: 'scope', value: scopeField(context.scope) },
  { name: 'now', value: epochSeconds(context.issuedAt) },
  { name: 'schema', value: schemaField(schema) },
  { name: 'issuer.x', value: BigInt(issuer.x) },
  { name: 'issuer.y', value: BigInt(issuer.y) },
  ...predicate.literals.map((value, index) => ({ name: `literals.${index}`, value })),
];
