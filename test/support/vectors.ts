import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Reference vectors that lie beside a checkout and are no part of it. `present` is false where they are absent, which is
 * said once per folder; tests on them are then skipped.
 */
export const vectorsOf = (folder: string) => {
  const directory = fileURLToPath(new URL(`../../../shared/vectors/${folder}/`, import.meta.url));
  const present = existsSync(directory);
  if (!present) console.warn(`skipped: the reference vectors of ${folder} are not beside this checkout`);
  return {
    present,
    bytes: (name: string): Uint8Array => new Uint8Array(readFileSync(`${directory}${name}`)),
    json: (name: string): unknown => JSON.parse(readFileSync(`${directory}${name}`, 'utf8')),
  };
};
