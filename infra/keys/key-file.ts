import { readFile } from 'node:fs/promises';

const KEY_LINE = /^[0-9a-f]{64}$/;

/**
 * Reads 32-byte keys from a file: one per line in lower-case hex, newest first.
 * @throws when the file is missing or holds anything else; the message never shows its content.
 */
export const readKeyFile = async (path: string): Promise<Uint8Array[]> => {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0 || !lines.every((line) => KEY_LINE.test(line.trim()))) {
    throw new Error(`${path} must hold 32-byte keys in hex, one per line`);
  }
  return lines.map((line) => new Uint8Array(Buffer.from(line.trim(), 'hex')));
};
