import { isKeyword } from './attributes.ts';

/** A word, value or mark of a predicate; `at` counts characters from 1. */
export type Token = { readonly at: number } & (
  | { readonly kind: 'name' | 'keyword' | 'number' | 'mark'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string; readonly value: string }
  | { readonly kind: 'end'; readonly text: '' }
);

/** A broken rule and the character where it broke. */
export interface SyntaxFault {
  readonly at: number;
  readonly rule: string;
}

const TOKEN =
  /(?<space>\s+)|(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<number>\d+(?:\.\d+)?)|(?<text>"(?:[^"\\]|\\.)*")|(?<mark>==|!=|<=|>=|[<>()[\],])/y;

/** Splits a predicate into tokens, the last of kind `end`; or says where it stops being one. */
export const tokenize = (source: string): readonly Token[] | SyntaxFault => {
  const tokens: Token[] = [];
  // A sticky expression keeps its place in itself, so each call has its own.
  const scanner = new RegExp(TOKEN);
  while (scanner.lastIndex < source.length) {
    const at = scanner.lastIndex + 1;
    const { word, number, text, mark } = scanner.exec(source)?.groups ?? {};
    if (word !== undefined) {
      tokens.push({ at, kind: isKeyword(word) ? 'keyword' : 'name', text: word });
    } else if (number !== undefined) {
      tokens.push({ at, kind: 'number', text: number });
    } else if (text !== undefined) {
      const value = unquoted(text);
      if (value === null) return { at, rule: 'a text with the escapes of JSON' };
      tokens.push({ at, kind: 'text', text, value });
    } else if (mark !== undefined) {
      tokens.push({ at, kind: 'mark', text: mark });
    } else if (scanner.lastIndex === 0) {
      return { at, rule: ruleAt(source[at - 1] as string) };
    }
  }
  tokens.push({ at: source.length + 1, kind: 'end', text: '' });
  return tokens;
};

const unquoted = (text: string): string | null => {
  try {
    const value = JSON.parse(text) as string;
    // A lone surrogate has no bytes of its own in UTF-8: two texts would share one hash.
    return value.isWellFormed() ? value : null;
  } catch {
    return null;
  }
};

const ruleAt = (character: string): string => {
  if (character === '"') return 'a text that ends with "';
  if (character === "'") return 'texts stand in double quotes';
  if (character === '=') return 'equality is written ==';
  if (character === '-') return 'numbers have no sign';
  return 'names, numbers, texts in double quotes, == != < <= > >= ( ) [ ] and commas only';
};
