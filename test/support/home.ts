import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Deletes a data directory, and PostgreSQL's where it had to lie elsewhere (as root). */
export const removeHome = async (home: string): Promise<void> => {
  const location = await readFile(join(home, 'postgres', 'location'), 'utf8').catch(() => null);
  if (location !== null) await rm(join(location.trim(), '..'), { recursive: true, force: true });
  await rm(home, { recursive: true, force: true });
};
