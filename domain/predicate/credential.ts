import { type FieldError, ok, type Result, reject } from '../errors.ts';
import { type AttributeSchema, type AttributeValue, encodeValue, schemaField } from './attributes.ts';
import { epochSeconds } from './context.ts';
import type { IssuerKey } from './issuer.ts';
import { PREDICATE_LIMITS } from './limits.ts';

/** What an issuer signed for a holder. It names people: it stays with its holder and never enters the log. */
export interface Credential {
  readonly schema: AttributeSchema;
  readonly values: Readonly<Record<string, AttributeValue>>;
  /** Poseidon(secret) of the holder, decimal. */
  readonly holder: string;
  readonly expiresAt: string;
  readonly issuer: IssuerKey;
  /** EdDSA-Poseidon over Poseidon(schema, holder, expiry, slots): R8.x, R8.y, S, decimal. */
  readonly signature: readonly [string, string, string];
}

/** The values of a credential in its slots; unused slots are zero. Refusals name every value that breaks a rule. */
export const slotsOf = (schema: AttributeSchema, values: Credential['values']): Result<readonly bigint[]> => {
  const errors: FieldError[] = [];
  const slots = schema.attributes.map((attribute) => {
    const value = Object.hasOwn(values, attribute.name) ? values[attribute.name] : undefined;
    const encoded = value === undefined ? 'required' : encodeValue(attribute, value);
    if (typeof encoded === 'bigint') return encoded;
    errors.push({ field: `values.${attribute.name}`, rule: encoded });
    return 0n;
  });
  for (const name of Object.keys(values)) {
    if (!schema.attributes.some((attribute) => attribute.name === name)) {
      errors.push({ field: `values.${name}`, rule: 'an attribute of the schema' });
    }
  }
  if (errors.length > 0) return reject('INVALID_REQUEST', 'the values do not fit the schema', errors);
  const padding = new Array<bigint>(PREDICATE_LIMITS.attributes - slots.length).fill(0n);
  return ok([...slots, ...padding]);
};

/** What the issuer's signature is over, before Poseidon. */
export const signedInputs = (
  schema: AttributeSchema,
  holder: bigint,
  expiresAt: string,
  slots: readonly bigint[],
): readonly bigint[] => [schemaField(schema), holder, epochSeconds(expiresAt), ...slots];
