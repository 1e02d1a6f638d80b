import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Hex SHA-256. */
export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** Hex SHA-256 of a file. */
export const sha256OfFile = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
};

/** Hex SHA-256 over names and hashes of the files of one kind in a folder, in order of their names. */
export const sha256OfFolder = async (folder: string, extension: string): Promise<string> => {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(extension));
  const lines = await Promise.all(
    names.toSorted().map(async (name) => `${await sha256OfFile(join(folder, name))}  ${name}\n`),
  );
  return sha256(lines.join(''));
};
