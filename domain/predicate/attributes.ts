import { type FieldError, ok, type Result, reject } from '../errors.ts';
import { canonicalJson } from '../json.ts';
import { fieldOf } from './field.ts';
import { PREDICATE_LIMITS } from './limits.ts';

/** What an attribute holds. Numbers are unsigned; a decimal is an integer of 10^-scale units. */
export type AttributeKind =
  | { readonly type: 'integer'; readonly bits: number }
  | { readonly type: 'decimal'; readonly bits: number; readonly scale: number }
  | { readonly type: 'text' }
  | { readonly type: 'boolean' };

export type Attribute = { readonly name: string } & AttributeKind;

/** What an issuer signs: named slots in a fixed order. */
export interface AttributeSchema {
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

export type AttributeValue = string | number | boolean;

/** Words of the language, which no attribute may be called. */
export const KEYWORDS = ['and', 'or', 'not', 'in', 'between', 'true', 'false'] as const;

const ATTRIBUTE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const NUMBER = /^\d{1,20}(\.\d{1,20})?$/;

export const isKeyword = (word: string): boolean =>
  KEYWORDS.some((keyword) => keyword === word.toLowerCase());

const inRange = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;

const attributeErrors = (attribute: Attribute, index: number): FieldError[] => {
  const errors: FieldError[] = [];
  const field = `schema.attributes.${index}`;
  if (!ATTRIBUTE_NAME.test(attribute.name) || isKeyword(attribute.name)) {
    errors.push({
      field: `${field}.name`,
      rule: `a letter or underscore, then at most 63 letters, digits or underscores, and none of ${KEYWORDS.join(', ')}`,
    });
  }
  if ('bits' in attribute && !inRange(attribute.bits, 1, PREDICATE_LIMITS.bits)) {
    errors.push({ field: `${field}.bits`, rule: `an integer from 1 to ${PREDICATE_LIMITS.bits}` });
  }
  if ('scale' in attribute && !inRange(attribute.scale, 1, PREDICATE_LIMITS.scale)) {
    errors.push({ field: `${field}.scale`, rule: `an integer from 1 to ${PREDICATE_LIMITS.scale}` });
  }
  return errors;
};

/** Refuses a schema that no credential could have. */
export const checkSchema = (schema: AttributeSchema): Result<AttributeSchema> => {
  const { name, attributes } = schema;
  const errors = attributes.flatMap(attributeErrors);
  if (name.length < 1 || name.length > 100) {
    errors.push({ field: 'schema.name', rule: '1 to 100 characters' });
  }
  if (attributes.length < 1 || attributes.length > PREDICATE_LIMITS.attributes) {
    errors.push({ field: 'schema.attributes', rule: `1 to ${PREDICATE_LIMITS.attributes} items` });
  }
  if (new Set(attributes.map((attribute) => attribute.name)).size < attributes.length) {
    errors.push({ field: 'schema.attributes', rule: 'each name once' });
  }
  return errors.length > 0 ? reject('INVALID_REQUEST', 'the schema is not usable', errors) : ok(schema);
};

/** The schema as the public input that a credential was signed under. */
export const schemaField = (schema: AttributeSchema): bigint => fieldOf('schema', canonicalJson(schema));

/** Largest value of an attribute with an order, in its own units; null for the others. */
export const maximumOf = (kind: AttributeKind): bigint | null =>
  'bits' in kind ? (1n << BigInt(kind.bits)) - 1n : null;

/**
 * A decimal text as an integer of 10^-scale units, exact.
 * @returns the broken rule as text when it is no such number.
 */
export const scaled = (text: string, scale: number): bigint | string => {
  if (!NUMBER.test(text)) return 'a number without sign or exponent, at most 20 digits on each side';
  const [whole = '', fraction = ''] = text.split('.');
  const digits = fraction.replace(/0+$/, '');
  if (digits.length > scale) {
    return scale === 0 ? 'a whole number' : `at most ${scale} digits after the point`;
  }
  return BigInt(whole + digits.padEnd(scale, '0'));
};

/** The field element that stands for `value` in a credential, or the broken rule as text. */
export const encodeValue = (kind: AttributeKind, value: AttributeValue): bigint | string => {
  switch (kind.type) {
    case 'text':
      return typeof value === 'string' && value.isWellFormed() ? fieldOf('text', value) : 'a text';
    case 'boolean':
      return typeof value === 'boolean' ? BigInt(value) : 'true or false';
    default: {
      if (typeof value === 'boolean') return 'a number';
      const number = scaled(String(value), kind.type === 'decimal' ? kind.scale : 0);
      const maximum = maximumOf(kind) as bigint;
      if (typeof number === 'string') return number;
      return number <= maximum ? number : `at most ${decimalText(maximum, kind)}`;
    }
  }
};

const decimalText = (units: bigint, kind: AttributeKind): string => {
  if (kind.type !== 'decimal') return String(units);
  const digits = String(units).padStart(kind.scale + 1, '0');
  return `${digits.slice(0, -kind.scale)}.${digits.slice(-kind.scale)}`;
};
