import { readFile } from 'node:fs/promises';

const KEY_LINE = /^[0-9a-f]{64}$/;

/**
 * The 32-byte keys in the text of a key file: one per line in lower-case hex, newest first.
 * @throws when it holds anything else; the message names `path` and never shows the content.
 */
export const parseKeys = (path: string, text: string): Uint8Array[] => {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0 || !lines.every((line) => KEY_LINE.test(line.trim()))) {
    throw new Error(`${path} must hold 32-byte keys in hex, one per line`);
  }
  return lines.map((line) => new Uint8Array(Buffer.from(line.trim(), 'hex')));
};

/**
 * Reads the keys of a file (see `parseKeys`).
 * @throws when the file is missing or no key file.
 */
export const readKeyFile = async (path: string): Promise<Uint8Array[]> =>
  parseKeys(path, await readFile(path, 'utf8'));
