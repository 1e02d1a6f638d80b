import { canonicalJson } from '../../domain/json.ts';

/** Longest text of a value in a report. */
const SHOWN = 200;

const shown = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : canonicalJson(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/**
 * The first place where two JSON values differ, as `path: live …, replayed …`; null when their canonical forms are equal.
 */
export const firstDifference = (live: unknown, replayed: unknown, path = ''): string | null => {
  if (isObject(live) && isObject(replayed) && Array.isArray(live) === Array.isArray(replayed)) {
    for (const key of [...new Set([...Object.keys(live), ...Object.keys(replayed)])].sort()) {
      const found = firstDifference(live[key], replayed[key], path ? `${path}.${key}` : key);
      if (found) return found;
    }
    return null;
  }
  return live === replayed ? null : `${path || 'state'}: live ${shown(live)}, replayed ${shown(replayed)}`;
};
