export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** Text that JSON writes as it is, between quotes. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** A text as JSON. */
export const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

const areSorted = (names: readonly string[]): boolean =>
  names.every((name, index) => index === 0 || (names[index - 1] as string) <= name);

/**
 * RFC 8785 JSON Canonicalization Scheme: members sorted by UTF-16 code unit, ECMAScript number and string forms.
 * Members whose value is `undefined` are left out, as in JSON.stringify. Every event passes through here: it is written so
 * that most texts and objects need neither escaping nor sorting.
 * @throws TypeError on anything JSON cannot carry (bigint, function, non-finite number).
 */
export const canonicalJson = (value: unknown): string => {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('canonical JSON has no non-finite numbers');
      return JSON.stringify(value);
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? canonicalArray(value) : canonicalObject(value as Record<string, unknown>);
    default:
      throw new TypeError(`canonical JSON cannot carry a ${typeof value}`);
  }
};

const canonicalArray = (items: readonly unknown[]): string => {
  let text = '[';
  for (let index = 0; index < items.length; index++)
    text += (index > 0 ? ',' : '') + canonicalJson(items[index] ?? null);
  return `${text}]`;
};

const canonicalObject = (record: Readonly<Record<string, unknown>>): string => {
  const names = Object.keys(record);
  if (!areSorted(names)) names.sort();
  let text = '{';
  for (const name of names) {
    const member = record[name];
    if (member !== undefined) text += `${text.length > 1 ? ',' : ''}${quoted(name)}:${canonicalJson(member)}`;
  }
  return `${text}}`;
};

/**
 * Whether `foreign` is the same JSON as `known`. It looks no deeper than `known` goes, so foreign JSON nested however
 * deep is safe to compare.
 */
export const equalsJson = (known: unknown, foreign: unknown): boolean => {
  if (typeof known !== 'object' || known === null) return known === foreign;
  if (typeof foreign !== 'object' || foreign === null) return false;
  if (Array.isArray(known) !== Array.isArray(foreign)) return false;
  const members = Object.entries(known);
  return (
    members.length === Object.keys(foreign).length &&
    members.every(
      ([name, value]) =>
        Object.hasOwn(foreign, name) && equalsJson(value, (foreign as Record<string, unknown>)[name]),
    )
  );
};
