import type { z } from 'zod';
import { textFault } from '../../domain/text.ts';

/** Walks schemas of what comes from outside, and finds strings, numbers and foreign JSON that no gate bounds. */

interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly catchall?: Schema;
  readonly element?: Schema;
  readonly keyType?: Schema;
  readonly valueType?: Schema;
  readonly options?: readonly Schema[];
  readonly items?: readonly Schema[];
  readonly innerType?: Schema;
  readonly in?: Schema;
  readonly out?: Schema;
}

interface Rules {
  readonly pattern?: RegExp;
}

type Schema = z.ZodType & {
  readonly _zod: {
    readonly def: Definition &
      Rules & { readonly checks?: readonly { readonly _zod: { readonly def: Rules } }[] };
  };
  readonly maxLength?: number | null;
  readonly minValue?: number | null;
  readonly maxValue?: number | null;
};

const POISONS: readonly unknown[] = ['\0', 'a\0b', '\ud800', 'a\udc00', { a: ['\0'] }, { '\ud800': 1 }];

const accepts = (schema: Schema, values: readonly unknown[]): boolean =>
  values.some((value) => schema.safeParse(value).success);

/** A pattern with its classes and escapes taken out: what is left is structure. */
const skeleton = ({ source }: RegExp): string =>
  source.replaceAll(/\[(?!\^)(?:\\.|[^\]\\])*\]/g, 'x').replaceAll(/\\[^SWDPp]/g, 'x');

/** A pattern keeps out what it does not name, unless it names "anything". */
const isClosed = (pattern: RegExp): boolean =>
  /^\^.*\$$/.test(pattern.source) && !/\.|\[\^|\\[SWDP]/.test(skeleton(pattern));
const isBoundedPattern = (pattern: RegExp): boolean =>
  /^\^.*\$$/.test(pattern.source) && !/[*+]|\{\d+,\}/.test(skeleton(pattern));

const patternsOf = ({ _zod: { def } }: Schema): RegExp[] => {
  const rules: readonly Rules[] = [def, ...(def.checks ?? []).map((check): Rules => check._zod.def as Rules)];
  return rules.flatMap(({ pattern }) => pattern ?? []);
};

const stringFaults = (schema: Schema): string[] => {
  const patterns = patternsOf(schema);
  const open = accepts(schema, POISONS) || (patterns.length > 0 && !patterns.some(isClosed));
  const endless =
    !Number.isFinite(schema.maxLength ?? Number.POSITIVE_INFINITY) && !patterns.some(isBoundedPattern);
  return [...(open ? ['text without the gate'] : []), ...(endless ? ['text of any length'] : [])];
};

const numberFaults = ({ minValue, maxValue }: Schema): string[] =>
  Number.isFinite(minValue ?? Number.NaN) && Number.isFinite(maxValue ?? Number.NaN)
    ? []
    : ['a number without bounds'];

/** Foreign JSON is as long as the body or frame that it came in; a scalar of an own kind has a length of its own. */
const foreignFaults = (schema: Schema): string[] => {
  const longest = schema._zod.def.type === 'custom' ? ['a'.repeat(2_000_000), '9'.repeat(2_000_000)] : [];
  return accepts(schema, [...POISONS, Number.POSITIVE_INFINITY, ...longest])
    ? ['foreign JSON without the gate']
    : [];
};

const leafFaults = (schema: Schema): string[] => {
  switch (schema._zod.def.type) {
    case 'string':
      return stringFaults(schema);
    case 'number':
      return numberFaults(schema);
    case 'unknown':
    case 'any':
    case 'custom':
      return foreignFaults(schema);
    default:
      return [];
  }
};

const childrenOf = ({ _zod: { def } }: Schema): [string, Schema][] => {
  const one = (name: string, child: Schema | undefined): [string, Schema][] => (child ? [[name, child]] : []);
  return [
    ...Object.entries(def.shape ?? {}),
    ...one('…', def.catchall),
    ...one('*', def.element),
    ...one('key', def.keyType),
    ...one('*', def.valueType),
    ...(def.options ?? []).map((option): [string, Schema] => ['', option]),
    ...(def.items ?? []).map((item, index): [string, Schema] => [String(index), item]),
    ...one('', def.innerType),
    ...one('', def.in),
    ...one('', def.out),
  ];
};

/** Text that is mended on the way in: whatever comes, what goes on is bounded and passes the gate. */
const isMended = (schema: Schema): boolean =>
  schema._zod.def.type === 'pipe' &&
  schema._zod.def.in?._zod.def.type === 'string' &&
  [...POISONS, 'a'.repeat(2_000_000)]
    .filter((value) => typeof value === 'string')
    .every((text) => {
      const { data } = schema.safeParse(text);
      return typeof data === 'string' && textFault(data) === null && data.length < 1_000_000;
    });

/** Every leaf below `schema` that breaks a rule, as `path: what is wrong`. */
export const outsideFaults = (schema: z.ZodType, path = ''): string[] => {
  if (isMended(schema as Schema)) return [];
  const faults = leafFaults(schema as Schema).map((fault) => `${path}: ${fault}`);
  const below = childrenOf(schema as Schema).flatMap(([name, child]) =>
    outsideFaults(child, name ? `${path}.${name}` : path),
  );
  return [...new Set([...faults, ...below])];
};
