import type { FieldError } from './errors.ts';

/**
 * The one gate for text and JSON from outside: callers, nodes, modules, files. What is refused here nothing behind it
 * has to think of again.
 *
 * - **Text** is well-formed Unicode without U+0000. A lone surrogate is no character: it has no UTF-8 form, so RFC 8785
 *   cannot hash it. PostgreSQL holds no U+0000. Other controls are a program's own business, as in an argument.
 * - **A name** is text that people tell things apart by: no controls, line breaks or invisible format characters (also
 *   those that turn the direction of writing), no blank at either end.
 * - **Text for display**, which a node or a module makes up, is mended instead of refused: a broken message must not
 *   cost the answer that it came with.
 */

/** The rule that `text` breaks; null when it breaks none. */
export const textFault = (text: string): string | null => {
  if (text.includes('\0')) return 'no character U+0000';
  return text.isWellFormed() ? null : 'well-formed Unicode: no half of a surrogate pair';
};

const UNNAMED = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** The rule that `text` breaks as a name; null when it breaks none. */
export const nameFault = (text: string): string | null => {
  const fault = textFault(text);
  if (fault) return fault;
  if (UNNAMED.test(text)) return 'no control characters, line breaks or invisible format characters';
  return text.trim() === text ? null : 'no blank at either end';
};

/** Controls but tab and line feed, line and paragraph separators, and what turns the direction of writing. */
const UNSHOWN = /[^\P{Cc}\t\n]|[\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const REPLACEMENT = '\ufffd';

const mended = (text: string): string =>
  text.replaceAll('\r\n', '\n').toWellFormed().replace(UNSHOWN, REPLACEMENT);

/** The first `most` UTF-16 units of foreign text, fit to be stored and shown: what is not becomes U+FFFD. */
export const shownText = (text: string, most: number): string => mended(text.slice(0, most)).slice(0, most);

/** The same for its last `most` units. */
export const shownTail = (text: string, most: number): string => mended(text.slice(-most)).slice(-most);

export interface JsonBounds {
  /** Arrays and objects within each other. */
  readonly depth: number;
  /** Members of all objects and items of all arrays together. */
  readonly members: number;
}

/** A body of 1 MiB that means something has fewer members; nothing that is asked for nests half as deep. */
export const JSON_BOUNDS: JsonBounds = { depth: 32, members: 200_000 };

const KEY_SHOWN = 64;

interface Fault {
  /** From the inside out. */
  readonly path: string[];
  readonly rule: string;
}

const scalarFault = (value: unknown): string | null => {
  if (typeof value === 'string') return textFault(value);
  if (typeof value !== 'number') return null;
  if (!Number.isFinite(value)) return 'a finite number';
  const isExact = !Number.isInteger(value) || Number.isSafeInteger(value);
  return isExact ? null : 'a number that JSON carries exactly: a whole one within ±(2^53 − 1)';
};

const membersOf = (value: object): readonly (readonly [string, unknown])[] =>
  Array.isArray(value)
    ? value.map((item: unknown, index) => [String(index), item] as const)
    : Object.entries(value);

const faultIn = (
  value: unknown,
  depth: number,
  left: { members: number },
  bounds: JsonBounds,
): Fault | null => {
  if (typeof value !== 'object' || value === null) {
    const rule = scalarFault(value);
    return rule === null ? null : { path: [], rule };
  }
  if (depth === 0) return { path: [], rule: `at most ${bounds.depth} levels deep` };
  for (const [key, member] of membersOf(value)) {
    left.members -= 1;
    if (left.members < 0) return { path: [], rule: `at most ${bounds.members} members and items in all` };
    const misnamed = textFault(key);
    const fault = misnamed
      ? { path: [], rule: `a member's name: ${misnamed}` }
      : faultIn(member, depth - 1, left, bounds);
    if (fault) return { ...fault, path: [...fault.path, shownText(key, KEY_SHOWN)] };
  }
  return null;
};

/**
 * The first rule that parsed JSON from outside breaks, with the place in `field` (JSON path, dots; `whole` for the value
 * itself): text and names of members well-formed and without U+0000, numbers exact (RFC 7493 §2.2), bounded in depth
 * and members. Null when it breaks none.
 */
export const jsonFault = (
  value: unknown,
  whole: string,
  bounds: JsonBounds = JSON_BOUNDS,
): FieldError | null => {
  const fault = faultIn(value, bounds.depth, { members: bounds.members }, bounds);
  return fault && { field: fault.path.toReversed().join('.') || whole, rule: fault.rule };
};

/** U+0000 shown as its symbol. */
const NULL_SHOWN = '\u2400';

const storableText = (text: string): string =>
  textFault(text) === null ? text : text.toWellFormed().replaceAll('\0', NULL_SHOWN);

/** Whether JSON is all text that may be stored: looked at without making anything, for nearly all of it is. */
const isStorable = (value: unknown): boolean => {
  if (typeof value === 'string') return !value.includes('\0') && value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isStorable);
  for (const key of Object.keys(value)) {
    if (!isStorable(key) || !isStorable((value as Record<string, unknown>)[key])) return false;
  }
  return true;
};

const mendedJson = (value: unknown): unknown => {
  if (typeof value === 'string') return storableText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(mendedJson);
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [storableText(key), mendedJson(member)]),
  );
};

/**
 * JSON as readers can carry it: in texts and names of members U+0000 becomes U+2400 (its symbol) and half a surrogate
 * pair U+FFFD. For what was stored before the gate stood; the same value comes back where there is nothing to mend.
 */
export const storable = <T>(value: T): T => (isStorable(value) ? value : (mendedJson(value) as T));

/** `\u0000` and halves of surrogate pairs as JSON.stringify writes them, with an even number of backslashes before. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/** Whether JSON text as JSON.stringify writes it holds what no text may: U+0000 or a lone surrogate. */
export const isUnstorable = (json: string): boolean => json.includes('\\u') && UNSTORABLE.test(json);
