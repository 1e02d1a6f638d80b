export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/**
 * RFC 8785 JSON Canonicalization Scheme: members sorted by UTF-16 code unit, ECMAScript number and string forms.
 * Members whose value is `undefined` are left out, as in JSON.stringify.
 * @throws TypeError on anything JSON cannot carry (bigint, function, non-finite number).
 */
export const canonicalJson = (value: unknown): string => {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('canonical JSON has no non-finite numbers');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`canonical JSON cannot carry a ${typeof value}`);
  const record = value as Record<string, unknown>;
  const members: string[] = [];
  for (const key of Object.keys(record).sort()) {
    const member = record[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
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
